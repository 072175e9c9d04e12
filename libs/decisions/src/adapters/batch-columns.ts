import type { Cap } from '#policies';
import type { DecisionItem } from '../decision.js';
import { boolArray, byteaArray, int2Array, int4Array, int8Array, textArray, timestampArray, uuidArray } from './binary-arrays.js';

/** One row per counter of an item; `item` counts from 1. */
interface CapRow {
  readonly item: number;
  readonly round: number;
  readonly of: DecisionItem;
  readonly cap: Cap;
}

/** A batch laid out as the columns that `reserve_batch` takes, in its order. */
export function reserveColumns(items: readonly DecisionItem[]): unknown[] {
  const { rounds, roundsMax } = roundsOf(items);
  const caps = capRows(items, rounds);
  const column = <T>(read: (item: DecisionItem) => T): T[] => items.map(read);
  return [
    int2Array([...new Set(items.map(({ decision }) => decision.shard))].sort((a, b) => a - b)),
    roundsMax,
    int2Array(column(({ decision }) => decision.shard)),
    uuidArray(column(({ ask }) => ask.request.subject.uuid)),
    textArray(column(({ ask }) => ask.caller)),
    textArray(column(({ ask }) => ask.key)),
    byteaArray(column(({ digest }) => digest)),
    int8Array(column(({ policyVersion }) => policyVersion)),
    int8Array(column(({ standingVersion }) => standingVersion)),
    timestampArray(column(({ evaluation }) => evaluation.from)),
    timestampArray(column(({ evaluation }) => evaluation.until)),
    uuidArray(column(({ decision }) => decision.uuid)),
    textArray(column(({ ask }) => ask.request.service)),
    textArray(column(({ evaluation }) => evaluation.outcome)),
    textArray(column(({ evaluation }) => evaluation.computedOutcome)),
    boolArray(column(({ evaluation }) => evaluation.enforced)),
    int4Array(column(({ holdSeconds }) => holdSeconds)),
    int8Array(column(({ ask }) => ask.request.money.minor)),
    textArray(column(({ ask }) => ask.request.money.currency)),
    textArray(column(({ ask }) => ask.request.paymentReference)),
    textArray(column(({ ask }) => ask.request.channel)),
    textArray(column(({ evaluation }) => countersJson(evaluation.caps))),
    uuidArray(column(({ salt }) => salt)),
    textArray(column(({ details }) => details)),
    int4Array(caps.map(({ item }) => item)),
    ...capKeyColumns(caps),
    int8Array(caps.map(({ of }) => of.ask.request.money.minor)),
    int8Array(caps.map(({ cap }) => cap.amountMinor)),
    int8Array(caps.map(({ cap }) => (cap.count === undefined ? undefined : BigInt(cap.count)))),
    boolArray(caps.map(({ of }) => of.holdSeconds !== undefined)),
    boolArray(caps.map(({ of }) => of.evaluation.enforced)),
  ];
}

function capKeyColumns(caps: readonly CapRow[]): unknown[] {
  return [
    int2Array(caps.map(({ of }) => of.decision.shard)),
    uuidArray(caps.map(({ of }) => of.ask.request.subject.uuid)),
    int4Array(caps.map(({ round }) => round)),
    textArray(caps.map(({ cap }) => cap.counter)),
    timestampArray(caps.map(({ cap }) => cap.start)),
  ];
}

/** The columns that `inspect_batch` takes, in its order. */
export function inspectColumns(items: readonly DecisionItem[]): unknown[] {
  const caps = capRows(
    items,
    items.map(() => 1),
  );
  return [
    int2Array(items.map(({ decision }) => decision.shard)),
    uuidArray(items.map(({ ask }) => ask.request.subject.uuid)),
    int8Array(items.map(({ policyVersion }) => policyVersion)),
    int8Array(items.map(({ standingVersion }) => standingVersion)),
    timestampArray(items.map(({ evaluation }) => evaluation.from)),
    timestampArray(items.map(({ evaluation }) => evaluation.until)),
    int4Array(caps.map(({ item }) => item)),
    int2Array(caps.map(({ of }) => of.decision.shard)),
    uuidArray(caps.map(({ of }) => of.ask.request.subject.uuid)),
    textArray(caps.map(({ cap }) => cap.counter)),
    timestampArray(caps.map(({ cap }) => cap.start)),
    int8Array(caps.map(({ of }) => of.ask.request.money.minor)),
    int8Array(caps.map(({ cap }) => cap.amountMinor)),
    int8Array(caps.map(({ cap }) => (cap.count === undefined ? undefined : BigInt(cap.count)))),
  ];
}

/** A subject's first item in the batch is of round 1, its second of round 2: one statement never judges a counter twice. */
function roundsOf(items: readonly DecisionItem[]): { readonly rounds: number[]; readonly roundsMax: number } {
  const seen = new Map<string, number>();
  let roundsMax = 1;
  const rounds = items.map(({ ask }) => {
    const round = (seen.get(ask.request.subject.uuid) ?? 0) + 1;
    seen.set(ask.request.subject.uuid, round);
    if (round > roundsMax) roundsMax = round;
    return round;
  });
  return { rounds, roundsMax };
}

function capRows(items: readonly DecisionItem[], rounds: readonly number[]): CapRow[] {
  const rows: CapRow[] = [];
  items.forEach((of, i) => {
    for (const cap of of.evaluation.caps) rows.push({ item: i + 1, round: rounds[i]!, of, cap });
  });
  return rows;
}

/** Caps are shared between evaluations, and so is their JSON. */
const COUNTERS = new WeakMap<readonly Cap[], string>();

function countersJson(caps: readonly Cap[]): string {
  const json = COUNTERS.get(caps) ?? JSON.stringify(Object.fromEntries(caps.map(({ counter, start }) => [counter, start])));
  COUNTERS.set(caps, json);
  return json;
}
