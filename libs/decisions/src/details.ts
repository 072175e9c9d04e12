import type { DecisionAnswer, DecisionLimit, DecisionMode, DecisionReason, Outcome, SubjectKind } from '#contract';
import { formatId, formatMinor, type Shard, type ShardedId } from '#kernel';
import type { Evaluation, Policy } from '#policies';
import type { Restriction, Standing } from '#standing';
import { type CounterState, type DecisionRequest, readUsage } from './decision.js';
import { shared, sharedBy } from './shared-json.js';

/** What was asked and evaluated: what a decision's commitment covers and what its answer is told from, at once or years later. */
export interface DecisionDetails {
  readonly amount: string;
  readonly caps: readonly CapDetails[];
  readonly channel?: string | undefined;
  readonly computed: Outcome;
  readonly counterparty?: string | undefined;
  readonly currency: string;
  readonly discount?: { readonly minor: string; readonly rate?: string | undefined; readonly rule: string } | undefined;
  readonly enforced: boolean;
  readonly factors: readonly { readonly code: string; readonly text: string }[];
  readonly holdSeconds?: number | undefined;
  /** Absent: an individual. */
  readonly kind?: SubjectKind | undefined;
  readonly mode: DecisionMode;
  readonly outcome: Outcome;
  readonly paymentReference?: string | undefined;
  readonly policy: { readonly hash: string; readonly id: string; readonly version: string };
  readonly reasons: readonly DecisionReason[];
  /** By their UUIDs; `composeAnswer` tells them by the ids of the doors. */
  readonly restrictions: readonly {
    readonly appealUntil?: string | undefined;
    readonly code: string;
    readonly cure?: { readonly code: string; readonly text: string } | undefined;
    /** Of `limitMinor`. */
    readonly currency?: string | undefined;
    readonly disputed?: true | undefined;
    readonly endsAt?: string | undefined;
    readonly id: string;
    /** What a cut leaves of every limit at most. */
    readonly limitMinor?: string | undefined;
    /** What a cut leaves of every limit. */
    readonly limitPercent?: number | undefined;
    /** Absent: all services. */
    readonly services?: readonly string[] | undefined;
    readonly since?: string | undefined;
    readonly step: string;
    readonly text?: string | undefined;
  }[];
  /** `disputed`: a record in force is, and counts as the policy says of disputes. */
  readonly score: { readonly disputed?: true | undefined; readonly value: number; readonly version: string };
  readonly service: string;
  readonly tier: string;
  readonly transactionLimits: readonly { readonly amount: string; readonly limit: string }[];
}

interface CapDetails {
  readonly amount?: string | undefined;
  readonly count?: number | undefined;
  readonly counter: string;
  /** Rolling: the first row that counts. */
  readonly from?: string | undefined;
  readonly limit: string;
  readonly resetAt?: string | undefined;
  readonly start: string;
  readonly window: string;
}

const factorsMax = 4;

/** Absent values are undefined, which JSON leaves out. Names stand in the order of RFC 8785, so that JSON of this is the canonical form (its spec holds it to that). */
export function detailsOf(request: DecisionRequest, evaluation: Evaluation, policy: Policy, standing: Standing): DecisionDetails {
  const { channel, counterparty, paymentReference, money } = request;
  return {
    amount: money.minor.toString(),
    caps: capsDetails(evaluation.caps),
    channel,
    computed: evaluation.computedOutcome,
    counterparty,
    currency: money.currency,
    discount: evaluation.discount && discountDetails(evaluation.discount),
    enforced: evaluation.enforced,
    factors: factorsDetails(standing.factors),
    holdSeconds: request.mode === 'RESERVE' ? request.holdSeconds : undefined,
    kind: standing.kind === 'INDIVIDUAL' ? undefined : standing.kind,
    mode: request.mode,
    outcome: evaluation.outcome,
    paymentReference,
    policy: policyDetails(policy),
    reasons: Object.isFrozen(evaluation.reasons) ? sharedReasons(evaluation.reasons) : evaluation.reasons.map(reasonDetails),
    restrictions: evaluation.restrictions.map(restrictionDetails),
    score: scoreDetails(standing.score),
    service: request.service,
    tier: evaluation.tier,
    transactionLimits: transactionDetails(evaluation.transactionLimits),
  };
}

/** Where a restriction starts of which only a receipt of before 2026-11-22 is known: such a receipt tells neither start nor words. */
export const UNTOLD_START = new Date(0);

function restrictionDetails(restriction: Restriction): DecisionDetails['restrictions'][number] {
  const { id, step, services, limitPercent, limitMinor, currency, reason, startsAt, endsAt, cure, appealUntil, disputed } = restriction;
  const isTold = startsAt > UNTOLD_START;
  return {
    appealUntil: appealUntil?.toISOString(),
    code: reason.code,
    cure: cure && { code: cure.code, text: cure.text },
    currency,
    disputed,
    endsAt: endsAt?.toISOString(),
    id,
    limitMinor: limitMinor?.toString(),
    limitPercent,
    services: services.length > 0 ? services : undefined,
    since: isTold ? startsAt.toISOString() : undefined,
    step,
    text: isTold ? reason.text : undefined,
  };
}

// Policies, terms and standings are shared between evaluations, and so is their telling.
const policyDetails = sharedBy(({ hash, id, version }: Policy) => ({ hash, id, version: version.toString() }));
const factorsDetails = sharedBy((factors: Standing['factors']) => factors.slice(0, factorsMax).map(({ code, text }) => ({ code, text })));
const reasonDetails = ({ code, source, text }: DecisionReason) => ({ code, source, text });
const sharedReasons = sharedBy((reasons: Evaluation['reasons']) => reasons.map(reasonDetails));
const scoreDetails = sharedBy(({ disputed, value, version }: Standing['score']) => ({ disputed, value, version }));
const capsDetails = sharedBy((caps: Evaluation['caps']) => caps.map(capDetails));
const transactionDetails = sharedBy((limits: Evaluation['transactionLimits']) =>
  limits.map(({ amountMinor, limit }) => ({ amount: amountMinor.toString(), limit })),
);

function capDetails({ amountMinor, count, counter, from, limit, resetAt, start, window }: Evaluation['caps'][number]): CapDetails {
  return {
    amount: amountMinor?.toString(),
    count,
    counter,
    from: from < start ? from.toISOString() : undefined,
    limit,
    resetAt: resetAt?.toISOString(),
    start: start.toISOString(),
    window,
  };
}

function discountDetails({ minor, rate, rule }: NonNullable<Evaluation['discount']>) {
  return { minor: minor.toString(), rate, rule };
}

export interface Ruled {
  /** Absent where nothing was recorded. */
  readonly decision: ShardedId | undefined;
  readonly at: Date;
  readonly usage: string;
}

/**
 * Tells the answer: what was evaluated, and what the ledger found when it held the counters. Restrictions have the ids of the doors; `shard` is the
 * subject's. What is kept, committed to and receipted has their UUIDs.
 */
export function composeAnswer(details: DecisionDetails, { decision, at, usage }: Ruled, shard: Shard): DecisionAnswer {
  const counters = readUsage(usage);
  const exceeded = exceededReasons(details, counters);
  const computedOutcome = exceeded.length > 0 ? 'DENY' : details.computed;
  const outcome = exceeded.length > 0 && details.enforced ? 'DENY' : details.outcome;
  const decisionId = decision && formatId('dec', decision);
  return {
    decisionId,
    outcome,
    computedOutcome,
    reasons: namedAtDoors(withExceeded(exceeded, details), details.restrictions, shard),
    tier: details.tier,
    score: details.score,
    policy: policyAnswer(details.policy),
    limits: limitsOf(details, counters),
    discount: details.discount === undefined || computedOutcome === 'DENY' ? undefined : discountAnswer(details, details.discount),
    restrictions: details.restrictions.map((restriction) => restrictionAnswer(restriction, shard)),
    factors: computedOutcome === 'ALLOW' ? undefined : details.factors,
    reservation: decisionId !== undefined && holds(details, outcome) ? reservationOf(decisionId, at, details.holdSeconds!) : undefined,
    decidedAt: isoText(at.getTime()),
  };
}

const policyAnswer = sharedBy(({ id, version, hash }: DecisionDetails['policy']) => ({ id, version, hash }));

function restrictionAnswer(
  { id: uuid, limitMinor, currency, ...rest }: DecisionDetails['restrictions'][number],
  shard: Shard,
): DecisionAnswer['restrictions'][number] {
  const told = { id: formatId('rst', { shard, uuid }), ...rest };
  if (limitMinor === undefined || currency === undefined) return told;
  return { ...told, limitAmount: { amount: formatMinor(BigInt(limitMinor), currency), currency } };
}

/** ALLOW and REVIEW reserve; DENY does not. */
export function holds(details: Pick<DecisionDetails, 'mode'>, outcome: Outcome): boolean {
  return details.mode === 'RESERVE' && outcome !== 'DENY';
}

/** A reservation bears its decision's UUID: its name differs in the prefix only. */
function reservationOf(decisionId: string, at: Date, holdSeconds: number) {
  return { id: `rsv${decisionId.slice('dec'.length)}`, expiresAt: isoText(at.getTime() + holdSeconds * 1000) };
}

/** A batch has one time, and most holds one length. */
const ISO_TEXTS = new Map<number, string>();
const isoTextsMax = 256;

function isoText(atMs: number): string {
  const known = ISO_TEXTS.get(atMs);
  if (known !== undefined) return known;
  const text = new Date(atMs).toISOString();
  if (ISO_TEXTS.size >= isoTextsMax) ISO_TEXTS.clear();
  ISO_TEXTS.set(atMs, text);
  return text;
}

function discountAnswer(details: DecisionDetails, { minor, rate, rule }: NonNullable<DecisionDetails['discount']>) {
  return { rate, amount: formatMinor(BigInt(minor), details.currency), rule };
}

/** Why, in the words that are kept: limits without room before what the evaluation said. */
export function reasonsOf(details: DecisionDetails, counters: readonly CounterState[]): readonly DecisionReason[] {
  return withExceeded(exceededReasons(details, counters), details);
}

function withExceeded(exceeded: readonly DecisionReason[], { reasons }: DecisionDetails): readonly DecisionReason[] {
  return exceeded.length > 0 ? [...exceeded, ...reasons] : reasons;
}

/** Reasons name restrictions as the doors do, so that a reader finds them. */
export function namedAtDoors(
  reasons: readonly DecisionReason[],
  restrictions: DecisionDetails['restrictions'],
  shard: Shard,
): readonly DecisionReason[] {
  if (restrictions.length === 0) return reasons;
  const names = new Map(restrictions.map(({ id: uuid }) => [`restriction ${uuid}`, `restriction ${formatId('rst', { shard, uuid })}`]));
  return reasons.map((reason) => ({ ...reason, source: names.get(reason.source) ?? reason.source }));
}

/** The tightest first: the limit with the least room names itself before the others. */
function exceededReasons(details: DecisionDetails, counters: readonly CounterState[]): DecisionReason[] {
  if (!counters.some(({ broken }) => broken)) return [];
  return details.caps
    .map((cap, i) => ({ cap, counter: counters[i]!, room: roomOf(cap, counters[i]!) }))
    .filter(({ counter }) => counter.broken)
    .sort((a, b) => (a.room < b.room ? -1 : Number(a.room > b.room)))
    .map(({ cap, room }) => ({ code: 'limit.exceeded', source: `limit ${cap.limit}`, text: exceededText(details, cap, room) }));
}

const WINDOW_WORDS: Readonly<Record<string, string>> = {
  ROLLING: 'the rolling window',
  CUSTOM: 'the period',
  OPEN_EXPOSURE: 'open exposure',
};

function exceededText({ currency, amount: asked }: DecisionDetails, cap: CapDetails, room: bigint): string {
  const window = WINDOW_WORDS[cap.window] ?? `the ${cap.window.toLowerCase()}`;
  return cap.amount === undefined || BigInt(asked) <= room
    ? `${window} allows ${cap.count} transactions and they are used up`
    : `${window} allows ${formatMinor(BigInt(cap.amount), currency)} ${currency} and ${formatMinor(room, currency)} is left`;
}

function roomOf({ amount }: CapDetails, counter: CounterState): bigint {
  return amount === undefined ? 0n : roomIn(BigInt(amount), counter);
}

function roomIn(amountMinor: bigint, { usedMinor, reservedMinor }: CounterState): bigint {
  const room = amountMinor - usedMinor - reservedMinor;
  return room > 0n ? room : 0n;
}

export function limitsOf(details: Pick<DecisionDetails, 'caps' | 'currency' | 'transactionLimits'>, counters: readonly CounterState[]) {
  const { currency } = details;
  const caps = details.caps.map((cap, i) => limitAnswer(cap, counters[i]!, currency));
  return [...transactionAnswers(details.transactionLimits, currency), ...caps];
}

/** Limits of a transaction stand as their policy has them, in its currency, and are told as they stand. */
const TRANSACTION_ANSWERS = new WeakMap<DecisionDetails['transactionLimits'], readonly DecisionLimit[]>();

function transactionAnswers(limits: DecisionDetails['transactionLimits'], currency: string): readonly DecisionLimit[] {
  const known = TRANSACTION_ANSWERS.get(limits);
  if (known) return known;
  const zero = formatMinor(0n, currency);
  const answers = limits.map(({ amount, limit }): DecisionLimit => {
    const text = formatMinor(BigInt(amount), currency);
    return shared({ id: limit, window: 'TRANSACTION', limit: text, used: zero, reserved: zero, available: text });
  });
  TRANSACTION_ANSWERS.set(limits, answers);
  return answers;
}

function limitAnswer(cap: CapDetails, counter: CounterState, currency: string): DecisionLimit {
  const { count, limit, resetAt, window } = cap;
  const amount = cap.amount === undefined ? undefined : amountOf(cap, cap.amount, currency);
  return {
    id: limit,
    window,
    limit: amount?.text,
    used: formatMinor(counter.usedMinor, currency),
    reserved: formatMinor(counter.reservedMinor, currency),
    available: amount && formatMinor(roomIn(amount.minor, counter), currency),
    count: count === undefined ? undefined : { limit: count, taken: counter.taken, available: Math.max(0, count - counter.taken) },
    resetAt,
  };
}

/** A cap has one currency, its policy's. */
const AMOUNTS = new WeakMap<CapDetails, { readonly minor: bigint; readonly text: string }>();

function amountOf(cap: CapDetails, digits: string, currency: string) {
  const known = AMOUNTS.get(cap);
  if (known) return known;
  const minor = BigInt(digits);
  const amount = { minor, text: formatMinor(minor, currency) };
  AMOUNTS.set(cap, amount);
  return amount;
}
