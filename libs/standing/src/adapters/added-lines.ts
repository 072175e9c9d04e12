import type { Shard } from '#kernel';
import { int2Array, int4Array, RecordArray } from '#platform';
import type { BatchStep } from '#records';
import { countsOf, leaseMs } from '#records/adapters/pg-batch-store';
import type { AddedLine } from '../batch/line-books.js';

export const ADD_LINES = `SELECT add_lines(${Array.from({ length: 12 }, (_, i) => `$${i + 1}`).join(', ')}) AS done`;

const LINE_FIELDS = 16;
const LINE_BYTES = 2_048;

/** The parameters that `add_lines` takes, in its order. All lines of a batch are one issuer's. */
export function addedLines(step: BatchStep, added: readonly AddedLine[], lineOid: number): unknown[] {
  const { lease, nextLine, nextByte } = step;
  const counts = new Map<Shard, number>();
  const rows = new RecordArray(lineOid, LINE_FIELDS, added.length * LINE_BYTES);
  for (const line of added) {
    const { shard } = line.subject.id;
    const nth = (counts.get(shard) ?? 0) + 1;
    counts.set(shard, nth);
    writeLine(rows, line, nth);
  }
  return [
    ...[lease.id.shard, lease.id.uuid, lease.epoch, nextLine, nextByte, countsOf(step), leaseMs],
    ...[added[0]!.incoming.value.sealed !== undefined, added[0]!.identity.iss],
    ...[int2Array([...counts.keys()]), int4Array([...counts.values()]), rows.finish()],
  ];
}

/** In the order of the columns of `batch_line`. */
function writeLine(rows: RecordArray, { incoming, identity, subject, inForce, salt, factBody, statement }: AddedLine, nth: number): void {
  const { record, payloadDigest, sealed } = incoming.value;
  rows.beginRecord();
  rows.int2(subject.id.shard);
  rows.int4(nth);
  rows.uuid(subject.id.uuid);
  rows.uuid(identity.ref.uuid);
  rows.uuid(record.jti);
  rows.int8(BigInt(record.seq));
  rows.text(record.kind);
  rows.timestamp(new Date(record.iat * 1_000));
  rows.bytes(payloadDigest);
  rows.bytes(incoming.received);
  rows.bytes(salt);
  rows.int8(sealed && BigInt(sealed.index));
  rows.timestamp(inForce.asOf);
  rows.timestamp(inForce.validUntil);
  rows.text(statement);
  rows.text(factBody);
  rows.endRecord();
}
