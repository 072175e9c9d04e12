import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, type Policy } from '#policies';
import { CHANGING, historiesUnder, type HistoryEvent, PlainLedger, tightPolicy } from '../testing/random-history.js';
import { requestOf, standingOf } from './recorded.js';
import { type Assumption, type Beginning, type ReplayRules, SubjectReplay } from './redecide.js';
import { Tally, type TallyJson } from './tally.js';

const runs = { numRuns: 300 };
const NO_DIFFERENCE = { outcome: 0, computed: 0, discount: 0, reasons: 0, counters: 0 };

function rulesFor(policy: Policy, assume: Assumption = 'CONFIRMED', begin: Beginning = 'CONTINUE'): ReplayRules {
  return { policyFor: () => policy, assume, begin };
}

/** Events before `from` are followed, the others decided again. */
function replay(events: readonly HistoryEvent[], rules: ReplayRules, from = 0): TallyJson {
  const tally = new Tally();
  const subject = new SubjectReplay(rules);
  events.forEach((event, i) => {
    if (event.type === 'settlement') subject.settle(event.settlement);
    else if (i < from) subject.follow(event.decision);
    else tally.add(subject.decide(event.decision));
  });
  return tally.toJson();
}

describe('a history decided again', () => {
  it('by the policy that decided it is the same to the last counter', () => {
    fc.assert(
      fc.property(historiesUnder([CHANGING[0]!]), ({ events }) => {
        expect(replay(events, rulesFor(CHANGING[0]!)).differing).toEqual(NO_DIFFERENCE);
      }),
      runs,
    );
  });

  it('by the policies that followed each other, each in its time, is the same too', () => {
    const policyFor: ReplayRules['policyFor'] = ({ policyVersion }) => CHANGING[Number(policyVersion) - 1]!;
    fc.assert(
      fc.property(historiesUnder(CHANGING), ({ events }) => {
        expect(replay(events, { ...rulesFor(CHANGING[0]!), policyFor }).differing).toEqual(NO_DIFFERENCE);
      }),
      runs,
    );
  });

  it('from the moment a policy came into force, by that policy, is the same: counters continue by their names', () => {
    fc.assert(
      fc.property(historiesUnder(CHANGING), ({ events }) => {
        const last = events.findLast((event) => event.type === 'decision');
        const version = last?.decision.policyVersion;
        const from = events.findIndex((event) => event.type === 'decision' && event.decision.policyVersion === version);
        if (version === undefined) return;
        expect(replay(events, rulesFor(CHANGING[Number(version) - 1]!), from).differing).toEqual(NO_DIFFERENCE);
      }),
      runs,
    );
  });

  it.each<[Assumption]>([['CONFIRMED'], ['EXPIRED']])('by another policy is what a plain ledger makes of it, %s', (assume) => {
    const draft = tightPolicy(9, {
      limits: [
        { id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: '80.00' },
        { id: 'ten-hours', window: 'ROLLING', length: 'PT10H', scope: 'SUBJECT', amount: '75.00' },
        { id: 'open', window: 'OPEN_EXPOSURE', scope: 'SUBJECT', amount: '60.00' },
        { id: 'two-weeks', window: 'WEEK', scope: 'SUBJECT_COUNTERPARTY', amount: '70.00', count: 7 },
      ],
    });
    fc.assert(
      fc.property(historiesUnder(CHANGING), ({ events }) => {
        const [ledger, subject] = [new PlainLedger(), new SubjectReplay(rulesFor(draft, assume))];
        for (const event of events) {
          if (event.type === 'settlement') {
            ledger.settle(event.settlement);
            subject.settle(event.settlement);
          } else {
            const { would } = subject.decide(event.decision);
            expect({ outcome: would.outcome, counters: would.counters }).toEqual(decidePlainly(ledger, event.decision, draft, assume));
          }
        }
      }),
      runs,
    );
  });

  it('can begin as if the policy had always counted', () => {
    const draft = tightPolicy(9, { limits: [{ id: 'brand-new', window: 'LIFETIME', scope: 'SUBJECT', amount: '1000000.00' }] });
    fc.assert(
      fc.property(historiesUnder(CHANGING), fc.nat({ max: 60 }), ({ events }, from) => {
        const counted = new SubjectReplay(rulesFor(draft, 'CONFIRMED', 'COUNTED'));
        const continued = new SubjectReplay(rulesFor(draft));
        const before = events.slice(0, from);
        for (const event of before)
          for (const subject of [counted, continued])
            if (event.type === 'decision') subject.follow(event.decision);
            else subject.settle(event.settlement);
        const held = before.flatMap((event) => (event.type === 'decision' && event.decision.expiresAt ? [event.decision] : []));
        // `donations` is off: nothing counts there.
        const counts = held.some(({ details }) => details.service !== 'donations');
        expect(counted.counters.usage.has('brand-new/CNY')).toBe(counts);
        expect(continued.counters.usage.has('brand-new/CNY')).toBe(false);
      }),
      runs,
    );
  });
});

function decidePlainly(ledger: PlainLedger, recorded: HistoryDecision, draft: Policy, assume: Assumption) {
  const { shard, subject, details, at, expiresAt, decision } = recorded;
  const request = requestOf({ shard, uuid: subject }, details);
  const minor = request.money.minor;
  const evaluation = evaluate(standingOf(request.subject, 1n, details), draft, request, at);
  const found = evaluation.caps.map((cap) => ledger.look(cap, minor, at));
  const outcome = evaluation.enforced && found.some(({ broken }) => broken) ? 'DENY' : evaluation.outcome;
  const takes = details.mode === 'RESERVE' && outcome !== 'DENY';
  if (takes) {
    const until = expiresAt ?? new Date(at.getTime() + details.holdSeconds! * 1000);
    ledger.take({ decision, minor, expiresAt: until, caps: evaluation.caps });
    if (!expiresAt && assume === 'CONFIRMED') ledger.settle({ decision, kind: 'confirm', minor });
  }
  const counters = found.map(({ used, reserved, taken, broken }) => {
    const now = takes ? { reservedMinor: reserved + minor, taken: taken + 1 } : { reservedMinor: reserved, taken };
    return { usedMinor: used, ...now, broken };
  });
  return { outcome, counters };
}

type HistoryDecision = Extract<HistoryEvent, { type: 'decision' }>['decision'];
