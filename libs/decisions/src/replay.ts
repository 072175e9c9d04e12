import { canonicalBytes, type JsonValue } from '#evidence';
import { parseId, Refusal } from '#kernel';
import { compilePolicy, evaluate, parsePolicy, type Policy } from '#policies';
import type { DecisionRequest } from './decision.js';
import { type DecisionDetails, detailsOf, holds } from './details.js';
import { hex } from './decision-row.js';
import { requestOf, standingOf } from './history/recorded.js';
import { inputText } from './input-text.js';
import { type CounterSnapshot, type ReceiptClaims, tellDecision, type ToldDecision } from './receipt.js';

export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Where receipt and replay part: a JSON pointer (RFC 6901) into the claims, and what each says there; undefined: nothing. */
export interface Difference {
  readonly at: string;
  readonly receipt: JsonValue | undefined;
  readonly replay: JsonValue | undefined;
}

const utf8 = new TextEncoder();

/**
 * Decides again what a receipt tells, from its request, standing and counters and a policy document, with the rules that decided it. No
 * differences: the same answer to the letter, under the same policy, with input digest and commitment recomputed.
 * Refuses 400 `policy.malformed`, 422 `policy.inconsistent` and `policy.rule_refused`, and `id.malformed` for a subject that is none.
 */
export function replayReceipt(claims: ReceiptClaims, policyDocument: unknown, sha256: Sha256): readonly Difference[] {
  const policy = policyOf(claims, policyDocument, sha256);
  const request = requestOf(parseId('sub', claims.sub), claims.evaluation);
  const replayed = decideAgain(claims, request, policy);
  return [
    ...differences(claims.inputDigest, hex(sha256(utf8.encode(inputText(request)))), '/inputDigest'),
    ...differences(claims.commitment, hex(sha256(committedBytes(claims))), '/commitment'),
    ...('refused' in replayed ? [refused(claims, replayed.refused)] : differences(toldBy(claims), plain(replayed), '')),
  ];
}

/** What the log's fact commits to: the salt's 16 bytes and canonical JSON of evaluation and usage. */
function committedBytes({ salt, evaluation, usage }: Pick<ReceiptClaims, 'salt' | 'evaluation' | 'usage'>): Uint8Array {
  const saltBytes = salt
    .replaceAll('-', '')
    .match(/../g)!
    .map((pair) => parseInt(pair, 16));
  return new Uint8Array([...saltBytes, ...canonicalBytes({ evaluation, usage })]);
}

/** A document hashes as it was written or as it is kept, with every default spelled out. */
function policyOf({ evaluation }: ReceiptClaims, input: unknown, sha256: Sha256): Policy {
  const document = parsePolicy(input);
  const [kept, written] = [document, input].map((form) => hex(sha256(canonicalBytes(form)))) as [string, string];
  return compilePolicy(document, written === evaluation.policy.hash ? written : kept);
}

function decideAgain(claims: ReceiptClaims, request: DecisionRequest, policy: Policy): ToldDecision | { readonly refused: Refusal } {
  const at = new Date(claims.decidedAt);
  const standing = standingOf(request.subject, BigInt(claims.standingVersion), claims.evaluation);
  try {
    const evaluation = detailsOf(request, evaluate(standing, policy, request, at), policy, standing);
    return tellDecision(evaluation, { decision: parseId('dec', claims.jti), at, usage: judgeCounters(evaluation, claims.limits) });
  } catch (error) {
    if (error instanceof Refusal) return { refused: error };
    throw error;
  }
}

/** The ledger's judgement (`reserve_batch`) of these caps over the counters that the decision found. */
export function judgeCounters(evaluation: DecisionDetails, limits: ReceiptClaims['limits']): string {
  const found = new Map(limits.map(({ counter, start, before }) => [`${counter} ${start}`, before]));
  const minor = BigInt(evaluation.amount);
  const judged = evaluation.caps.map((cap) => {
    // A counter that the decision does not know: the caps differ, and that is told; it is judged as empty.
    const before = found.get(`${cap.counter} ${cap.start}`) ?? EMPTY;
    return { before, broken: isBroken(cap, before, minor) };
  });
  const taken = holds(evaluation, evaluation.outcome) && !(evaluation.enforced && judged.some(({ broken }) => broken));
  return judged.map(({ before, broken }) => usageText(before, taken ? minor : undefined, broken)).join(',');
}

const EMPTY: CounterSnapshot = { used: '0', reserved: '0', taken: 0 };

function isBroken({ amount, count }: DecisionDetails['caps'][number], { used, reserved, taken }: CounterSnapshot, minor: bigint): boolean {
  const isAbove = amount !== undefined && BigInt(used) + BigInt(reserved) + minor > BigInt(amount);
  return isAbove || (count !== undefined && taken + 1 > count);
}

function usageText({ used, reserved, taken }: CounterSnapshot, takenMinor: bigint | undefined, broken: boolean): string {
  const [nowReserved, nowTaken] = takenMinor === undefined ? [reserved, taken] : [BigInt(reserved) + takenMinor, taken + 1];
  return `${used}:${nowReserved}:${nowTaken}:${broken ? 1 : 0}`;
}

function toldBy({ evaluation, usage, limits, outcome, computedOutcome, reasons, discount, reservation }: ReceiptClaims): JsonValue {
  return plain({ evaluation, usage, limits, outcome, computedOutcome, reasons, discount, reservation });
}

/** As JSON has it: what is undefined is not there. */
function plain(told: ToldDecision): JsonValue {
  return JSON.parse(JSON.stringify(told)) as JsonValue;
}

function refused({ outcome }: ReceiptClaims, { code, detail }: Refusal): Difference {
  return { at: '/outcome', receipt: outcome, replay: `refused, ${code}: ${detail}` };
}

/** Every innermost place where two JSON values differ. */
function differences(receipt: JsonValue | undefined, replay: JsonValue | undefined, at: string): Difference[] {
  if (isTree(receipt) && isTree(replay) && Array.isArray(receipt) === Array.isArray(replay)) {
    const names = [...new Set([...Object.keys(receipt), ...Object.keys(replay)])];
    return names.flatMap((name) => differences(receipt[name], replay[name], `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`));
  }
  return receipt === replay ? [] : [{ at, receipt, replay }];
}

function isTree(value: JsonValue | undefined): value is { readonly [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null;
}
