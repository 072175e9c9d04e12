import fc from 'fast-check';
import type { Shard } from '#kernel';
import { type Cap, compilePolicy, evaluate, parsePolicy, type Policy, type PolicyInput } from '#policies';
import { policyInput } from '#policies/testing/house-policy';
import type { Standing } from '#standing';
import type { DecisionRequest } from '../decision.js';
import { detailsOf } from '../details.js';
import type { RecordedDecision, RecordedSettlement } from '../history/recorded.js';

/** A subject's life as a test imagines it, and as the ledger would have kept it. */
export interface RandomHistory {
  readonly events: readonly HistoryEvent[];
}

export type HistoryEvent =
  | { readonly type: 'decision'; readonly decision: RecordedDecision }
  | { readonly type: 'settlement'; readonly settlement: RecordedSettlement };

const SUBJECT = { shard: 0 as Shard, uuid: '01890000-0000-7000-8000-000000000001' };
const HOUR_MS = 3_600_000;
/** The evening before the night of 25 hours in Berlin; histories run for days from here. */
const START_MS = Date.parse('2026-10-23T20:00:00Z');

/** Small limits over every window and scope, so that they bind; amounts are a few yuan. */
export function tightPolicy(version: number, change: Partial<PolicyInput> = {}): Policy {
  const limits: PolicyInput['limits'] = [
    { id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: '60.00' },
    { id: 'all-week', window: 'WEEK', scope: 'SUBJECT', amount: '150.00', count: 12 },
    { id: 'to-one', window: 'MONTH', scope: 'SUBJECT_COUNTERPARTY', amount: '80.00' },
    { id: 'ever', window: 'LIFETIME', scope: 'SUBJECT_SERVICE', count: 25 },
    { id: 'six-hours', window: 'ROLLING', length: 'PT6H', scope: 'SUBJECT', amount: '55.00' },
    { id: 'three-days', window: 'CUSTOM', every: 'P3D', anchor: '2026-01-01', scope: 'SUBJECT', count: 9 },
    { id: 'open', window: 'OPEN_EXPOSURE', scope: 'SUBJECT', amount: '45.00', count: 4 },
  ];
  return compilePolicy(parsePolicy(policyInput({ version, timeZone: 'Europe/Berlin', limits, ...change })), 'f'.repeat(64));
}

/** Versions that follow each other: a limit that changes, one that goes, one that comes. */
export const CHANGING: readonly Policy[] = [
  tightPolicy(1),
  tightPolicy(2, { limits: [{ id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: '40.00' }] }),
  tightPolicy(3, {
    limits: [
      { id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: '50.00' },
      { id: 'new-month', window: 'MONTH', scope: 'SUBJECT', amount: '90.00' },
      { id: 'six-hours', window: 'ROLLING', length: 'PT12H', grain: 'PT1H', scope: 'SUBJECT', amount: '60.00' },
    ],
  }),
];

const step = fc.record({
  gapMs: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(1_000, 60_000, 2 * HOUR_MS), fc.integer({ min: 0, max: 4 * HOUR_MS })),
  act: fc.oneof(
    fc.record({
      do: fc.constant('decide' as const),
      service: fc.constantFrom('checkout', 'pay-later', 'marketplace', 'donations'),
      minor: fc.integer({ min: 1, max: 3_000 }),
      mode: fc.constantFrom('RESERVE' as const, 'RESERVE' as const, 'EVALUATE' as const),
      holdSeconds: fc.constantFrom(1, 60, 7_200, 2_592_000),
      counterparty: fc.constantFrom(undefined, 'shop-1', 'shop-2'),
      score: fc.constantFrom(420, 660, 720),
      cut: fc.constantFrom(undefined, undefined, 50),
    }),
    fc.record({
      do: fc.constant('settle' as const),
      pick: fc.nat(),
      kind: fc.constantFrom('confirm' as const, 'confirm' as const, 'release' as const, 'refund' as const),
      permille: fc.integer({ min: 1, max: 1_000 }),
    }),
    fc.record({ do: fc.constant('change' as const) }),
  ),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Histories under policies that follow each other; every `change` step goes to the next one. */
export function historiesUnder(policies: readonly Policy[]): fc.Arbitrary<RandomHistory> {
  return fc.array(step, { minLength: 1, maxLength: 60 }).map((steps) => live(steps, policies));
}

function live(steps: readonly Step[], policies: readonly Policy[]): RandomHistory {
  const ledger = new PlainLedger();
  const events: HistoryEvent[] = [];
  let atMs = START_MS;
  let changes = 0;
  for (const { gapMs, act } of steps) {
    atMs += gapMs;
    const [seq, at] = [BigInt(events.length + 1), new Date(atMs)];
    if (act.do === 'change') changes++;
    if (act.do === 'settle') {
      const settlement = ledger.settleAny(act, seq, at);
      if (settlement) events.push({ type: 'settlement', settlement });
    }
    if (act.do === 'decide') {
      const decision = decideReally(ledger, act, policies[Math.min(changes, policies.length - 1)]!, seq, at);
      // EVALUATE leaves a row only where it is adverse.
      if (act.mode === 'RESERVE' || decision.computed !== 'ALLOW') events.push({ type: 'decision', decision });
    }
  }
  return { events };
}

type Asked = Extract<Step['act'], { do: 'decide' }>;

function decideReally(ledger: PlainLedger, asked: Asked, policy: Policy, seq: bigint, at: Date): RecordedDecision {
  const { minor, mode, holdSeconds, service, counterparty } = asked;
  const money = { minor: BigInt(minor), currency: 'CNY' };
  const request: DecisionRequest = { ...{ subject: SUBJECT, service, money, mode, counterparty, holdSeconds }, ...NOTHING_ELSE };
  const standing = standingOf(asked);
  const evaluation = evaluate(standing, policy, request, at);
  const found = evaluation.caps.map((cap) => ledger.look(cap, money.minor, at));
  const isBroken = found.some(({ broken }) => broken);
  const outcome = isBroken && evaluation.enforced ? 'DENY' : evaluation.outcome;
  const holds = mode === 'RESERVE' && outcome !== 'DENY';
  const decision = `01890000-0000-7000-8000-${seq.toString(16).padStart(12, '0')}`;
  const expiresAt = holds ? new Date(at.getTime() + holdSeconds * 1000) : undefined;
  if (expiresAt) ledger.take({ decision, minor: money.minor, expiresAt, caps: evaluation.caps });
  return {
    ...{ ...SUBJECT, seq, at, decision, subject: SUBJECT.uuid, outcome, expiresAt, standingVersion: 1n, policyVersion: policy.version },
    computed: isBroken ? 'DENY' : evaluation.computedOutcome,
    details: JSON.parse(JSON.stringify(detailsOf(request, evaluation, policy, standing))) as RecordedDecision['details'],
    usage: found
      .map(({ used, reserved, taken, broken }) =>
        [used, holds ? reserved + money.minor : reserved, holds ? taken + 1 : taken, Number(broken)].join(':'),
      )
      .join(','),
  };
}

const NOTHING_ELSE = { channel: undefined, paymentReference: undefined } as const;

function standingOf({ score, cut }: Asked): Standing {
  const restriction: Standing['restrictions'][number] = {
    ...{ id: 'r1', step: 'LIMIT_CUT', services: [], startsAt: new Date(0), reason: { code: 'LATE', text: 'paid late' } },
    limitPercent: cut!,
  };
  const restrictions = cut === undefined ? [] : [restriction];
  return { subject: SUBJECT, kind: 'INDIVIDUAL', version: 1n, score: { value: score, version: '1' }, factors: [], restrictions };
}

interface PlainHold {
  readonly decision: string;
  readonly minor: bigint;
  readonly expiresAt: Date;
  readonly caps: readonly Cap[];
  end?: 'CONFIRMED' | 'RELEASED';
  confirmed: bigint;
  refunded: bigint;
}

/** A second, plain ledger: it keeps holds only and adds up from the beginning whenever it is asked. */
export class PlainLedger {
  readonly holds: PlainHold[] = [];

  take(hold: Pick<PlainHold, 'decision' | 'minor' | 'expiresAt' | 'caps'>): void {
    this.holds.push({ ...hold, confirmed: 0n, refunded: 0n });
  }

  look(cap: Cap, minor: bigint, at: Date) {
    let [used, reserved, taken] = [0n, 0n, 0];
    for (const hold of this.holds) {
      if (!hold.caps.some(({ counter, start }) => counter === cap.counter && cap.from <= start && start <= cap.start)) continue;
      const isOpen = hold.end === undefined && at < hold.expiresAt;
      if (isOpen) reserved += hold.minor;
      if (isOpen) taken++;
      if (cap.measure === 'OPEN' || hold.end !== 'CONFIRMED') continue;
      used += hold.confirmed - hold.refunded;
      if (hold.refunded < hold.confirmed) taken++;
    }
    const broken = used + reserved + minor > (cap.amountMinor ?? 10n ** 18n) || taken + 1 > (cap.count ?? 10 ** 9);
    return { used, reserved, taken, broken };
  }

  settle({ decision, kind, minor }: Pick<RecordedSettlement, 'decision' | 'kind' | 'minor'>): void {
    const hold = this.holds.find((one) => one.decision === decision);
    if (!hold) return;
    if (kind === 'refund') hold.refunded += minor;
    else hold.end = kind === 'confirm' ? 'CONFIRMED' : 'RELEASED';
    if (kind === 'confirm') hold.confirmed = minor;
  }

  /** A step that is possible now, of any hold. */
  settleAny({ pick, kind, permille }: Extract<Step['act'], { do: 'settle' }>, seq: bigint, at: Date): RecordedSettlement | undefined {
    const possible = this.holds.filter((hold) =>
      kind === 'refund' ? hold.end === 'CONFIRMED' && hold.refunded < hold.confirmed : hold.end === undefined && at < hold.expiresAt,
    );
    const hold = possible[pick % possible.length];
    if (!hold) return undefined;
    const most = kind === 'refund' ? hold.confirmed - hold.refunded : hold.minor;
    const part = (most * BigInt(permille) + 999n) / 1_000n;
    const settlement = { seq, at, decision: hold.decision, kind, minor: kind === 'release' ? hold.minor : part };
    this.settle(settlement);
    return settlement;
  }
}
