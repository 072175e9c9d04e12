import { int2Array, int4Array, RecordArray, type SqlRunner } from '#platform';
import type { Cap } from '#policies';
import type { DecisionItem } from '../decision.js';

/** What the composite types of a batch are called in this database (they have other numbers in every one). */
export interface BatchTypes {
  readonly item: number;
  readonly cap: number;
  readonly inspection: number;
}

export async function batchTypes(runner: SqlRunner): Promise<BatchTypes> {
  const [item, cap, inspection] = await Promise.all([
    runner.typeOid('decision_item'),
    runner.typeOid('decision_cap'),
    runner.typeOid('inspection'),
  ]);
  return { item, cap, inspection };
}

const ITEM_FIELDS = 22;
const CAP_FIELDS = 13;
const INSPECTION_FIELDS = 6;
const ITEM_BYTES = 1_600;
const CAP_BYTES = 192;
const INSPECTION_BYTES = 128;

/** A batch as the parameters that `reserve_batch` takes, in its order. */
export function reserveColumns(items: readonly DecisionItem[], types: BatchTypes): unknown[] {
  const { rounds, roundsMax } = roundsOf(items);
  const rows = new RecordArray(types.item, ITEM_FIELDS, items.length * ITEM_BYTES);
  for (const item of items) writeItem(rows, item);
  return [
    int2Array([...new Set(items.map(({ decision }) => decision.shard))].sort((a, b) => a - b)),
    roundsMax,
    int2Array(items.map(({ decision }) => decision.shard)),
    int4Array(capsEnd(items)),
    rows.finish(),
    capsArray(items, rounds, types),
  ];
}

/** The parameters that `inspect_batch` takes, in its order. */
export function inspectColumns(items: readonly DecisionItem[], types: BatchTypes): unknown[] {
  const rows = new RecordArray(types.inspection, INSPECTION_FIELDS, items.length * INSPECTION_BYTES);
  for (const item of items) writeInspection(rows, item);
  return [int4Array(capsEnd(items)), rows.finish(), capsArray(items, undefined, types)];
}

/** In the order of the columns of `decision_item`. */
function writeItem(rows: RecordArray, item: DecisionItem): void {
  const { ask, evaluation, decision } = item;
  const { request } = ask;
  rows.beginRecord();
  rows.int2(decision.shard);
  rows.uuid(request.subject.uuid);
  rows.uuid(decision.uuid);
  rows.text(ask.caller);
  rows.text(ask.key);
  rows.bytes(item.digest);
  rows.int8(item.policyVersion);
  rows.int8(item.standingVersion);
  rows.timestamp(evaluation.from);
  rows.timestamp(evaluation.until);
  rows.text(request.service);
  rows.text(evaluation.outcome);
  rows.text(evaluation.computedOutcome);
  rows.bool(evaluation.enforced);
  rows.int4(item.holdSeconds);
  rows.int8(request.money.minor);
  rows.text(request.money.currency);
  rows.text(request.paymentReference);
  rows.text(request.channel);
  rows.text(countersJson(evaluation.caps));
  rows.uuid(item.salt);
  rows.text(item.details);
  rows.endRecord();
}

/** In the order of the columns of `inspection`. */
function writeInspection(rows: RecordArray, { decision, ask, policyVersion, standingVersion, evaluation }: DecisionItem): void {
  rows.beginRecord();
  rows.int2(decision.shard);
  rows.uuid(ask.request.subject.uuid);
  rows.int8(policyVersion);
  rows.int8(standingVersion);
  rows.timestamp(evaluation.from);
  rows.timestamp(evaluation.until);
  rows.endRecord();
}

function capsArray(items: readonly DecisionItem[], rounds: readonly number[] | undefined, types: BatchTypes): Buffer {
  const rows = new RecordArray(types.cap, CAP_FIELDS, items.length * 2 * CAP_BYTES);
  items.forEach((item, i) => writeCaps(rows, item, i + 1, rounds?.[i] ?? 1));
  return rows.finish();
}

/** In the order of the columns of `decision_cap`: what is the item's, then what is the cap's. */
function writeCaps(rows: RecordArray, { ask, decision, holdSeconds, evaluation }: DecisionItem, item: number, round: number): void {
  let written: { readonly from: number; readonly until: number } | undefined;
  for (const cap of evaluation.caps) {
    rows.beginRecord();
    if (written) {
      rows.again(written.from, written.until);
    } else {
      const from = rows.place;
      rows.int4(item);
      rows.int4(round);
      rows.int2(decision.shard);
      rows.uuid(ask.request.subject.uuid);
      rows.int8(ask.request.money.minor);
      rows.bool(holdSeconds !== undefined);
      rows.bool(evaluation.enforced);
      written = { from, until: rows.place };
    }
    rows.written(capColumns(cap));
    rows.endRecord();
  }
}

/** Caps are shared between evaluations, and so are their columns. */
const CAP_COLUMNS = new WeakMap<Cap, Buffer>();

function capColumns(cap: Cap): Buffer {
  const known = CAP_COLUMNS.get(cap);
  if (known) return known;
  const columns = new RecordArray(0, 0, CAP_BYTES);
  columns.text(cap.counter);
  columns.timestamp(cap.from);
  columns.timestamp(cap.start);
  columns.bool(cap.measure === 'OPEN');
  columns.int8(cap.amountMinor);
  columns.int8(cap.count === undefined ? undefined : BigInt(cap.count));
  const bytes = columns.takeFields();
  CAP_COLUMNS.set(cap, bytes);
  return bytes;
}

/** Where each item's caps end in the batch, counted from 1. */
function capsEnd(items: readonly DecisionItem[]): number[] {
  let end = 0;
  return items.map(({ evaluation }) => (end += evaluation.caps.length));
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

/** Caps are shared between evaluations, and so is their JSON. */
const COUNTERS = new WeakMap<readonly Cap[], string>();

function countersJson(caps: readonly Cap[]): string {
  const json = COUNTERS.get(caps) ?? JSON.stringify(Object.fromEntries(caps.map(({ counter, start }) => [counter, start])));
  COUNTERS.set(caps, json);
  return json;
}
