import { type ShardedId, shardOf } from '#kernel';
import { inWritingOrder, type NonceClaim, replayedAmong } from '#partners';
import { appendFacts, byteaArray, int2Array, int8Array, jsonbArray, textArray, timestampArray, type Tx, uuidArray } from '#platform';
import type { RecordIdentity, WriteReceipt } from '#records';
import { PgReceipts } from '#records/adapters/pg-receipts';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import type { StandingSaving } from '../save-change.js';
import type { DueSubject, FactBook } from '../store.js';
import type { TakenName } from '../together/names.js';
import { nameOf } from '../together/names.js';
import { type AddedRecord, type HeldDue, type Met, NameTaken, type TogetherBooks } from '../together/together-books.js';
import { type DueJson, type MetJson, readDue, readMet } from './held-subject.js';
import { saveDisputed, savingsJson } from './pg-standing-book.js';

type Names = Pick<RecordIdentity, 'iss' | 'jti'>;

/**
 * Each name is found as the first of its order, which only the index of that order gives: asked for by equality alone, PostgreSQL took the index of
 * the other name, and all records of the issuer with it, until it had analysed the table.
 */
export const NAMES_TAKEN = `
  SELECT r.iss, r.jti, r.seq, r.payload_digest FROM unnest($1::smallint[], $2::text[], $3::uuid[]) AS i (shard, iss, jti)
   CROSS JOIN LATERAL (SELECT k.iss, k.jti, k.seq, k.payload_digest FROM record_identities k
                        WHERE k.shard = i.shard AND (k.iss, k.jti) >= (i.iss, i.jti) ORDER BY k.iss, k.jti LIMIT 1) r
   WHERE r.iss = i.iss AND r.jti = i.jti
   UNION ALL
  SELECT r.iss, r.jti, r.seq, r.payload_digest FROM unnest($1::smallint[], $2::text[], $4::bigint[]) AS i (shard, iss, seq)
   CROSS JOIN LATERAL (SELECT k.iss, k.jti, k.seq, k.payload_digest FROM record_identities k
                        WHERE k.shard = i.shard AND (k.iss, k.seq) >= (i.iss, i.seq) ORDER BY k.iss, k.seq LIMIT 1) r
   WHERE r.iss = i.iss AND r.seq = i.seq`;

/** Many records at a time over one PostgreSQL transaction: arrays in, one statement for each question. */
export class PgTogetherBooks implements TogetherBooks {
  readonly facts: FactBook;

  constructor(
    private readonly tx: Tx,
    private readonly write?: WriteReceipt,
  ) {
    this.facts = { append: (facts) => appendFacts(tx, facts) };
  }

  async meet(refs: readonly ShardedId[], nonces: readonly NonceClaim[]): Promise<Met> {
    const ordered = inWritingOrder(nonces);
    const [row] = await this.tx.query<{ met: MetJson }>(
      'SELECT meet_records($1, $2, $3, $4) AS met',
      [
        textArray(ordered.map(({ participant }) => participant)),
        textArray(ordered.map(({ nonce }) => nonce)),
        int2Array(refs.map(({ shard }) => shard)),
        uuidArray(refs.map(({ uuid }) => uuid)),
      ],
      'meet_records',
    );
    const { met } = row!;
    return { held: readMet(met), replayed: replayedAmong(nonces, met.claimed) };
  }

  async holdDue(due: readonly DueSubject[]): Promise<HeldDue> {
    const marks = due.flatMap(({ shard, marks: seqs = [] }) => seqs.map((seq) => ({ shard, seq })));
    const [row] = await this.tx.query<{ due: DueJson }>(
      'SELECT hold_due($1, $2, $3, $4) AS due',
      [
        int2Array(due.map(({ shard }) => shard)),
        uuidArray(due.map(({ uuid }) => uuid)),
        int2Array(marks.map(({ shard }) => shard)),
        int8Array(marks.map(({ seq }) => seq)),
      ],
      'hold_due',
    );
    return readDue(row!.due);
  }

  async sinceVersion(subjects: readonly ShardedId[]): Promise<ReadonlySet<string>> {
    const rows = await this.tx.query<Names>(
      'SELECT iss, jti FROM records_since_version($1, $2)',
      [int2Array(subjects.map(({ shard }) => shard)), uuidArray(subjects.map(({ uuid }) => uuid))],
      'records_since_version',
    );
    return new Set(rows.map(nameOf));
  }

  async taken(identities: readonly RecordIdentity[]): Promise<TakenName[]> {
    const rows = await this.tx.query<{ iss: string; jti: string; seq: bigint; payload_digest: Buffer }>(
      NAMES_TAKEN,
      [...nameArrays(identities), int8Array(identities.map(({ seq }) => BigInt(seq)))],
      'names_taken',
    );
    return rows.map(({ iss, jti, seq, payload_digest }) => ({ iss, jti, seq: Number(seq), payloadDigest: new Uint8Array(payload_digest) }));
  }

  async claim(identities: readonly RecordIdentity[]): Promise<void> {
    const ordered = [...identities].sort((a, b) => compare(nameOf(a), nameOf(b)));
    const claimed = await this.tx.query(
      `INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref)
       SELECT * FROM unnest($1::smallint[], $2::text[], $3::uuid[], $4::bigint[], $5::bytea[], $6::smallint[], $7::uuid[])
       ON CONFLICT DO NOTHING RETURNING shard`,
      [
        ...nameArrays(ordered),
        int8Array(ordered.map(({ seq }) => BigInt(seq))),
        byteaArray(ordered.map(({ payloadDigest }) => payloadDigest)),
        int2Array(ordered.map(({ ref }) => ref.shard)),
        uuidArray(ordered.map(({ ref }) => ref.uuid)),
      ],
      'claim_names',
    );
    if (claimed.length < identities.length) throw new NameTaken();
  }

  async keepEquivocation(identity: RecordIdentity, received: Uint8Array, at: Date): Promise<boolean> {
    return await new PgRecordBook(this.tx).keepEquivocation(identity, received, at);
  }

  async saveJudged(standings: readonly StandingSaving[], added: readonly AddedRecord[]): Promise<void> {
    await this.tx.query(
      `SELECT save_standings($1), drop_expired($1), keep_records($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
      [savingsJson(standings), ...keptArrays(added)],
      'save_judged',
    );
    for (const standing of standings) await saveDisputed(this.tx, standing);
  }

  async receipts(names: readonly Names[]): Promise<ReadonlyMap<string, string>> {
    const receipts = await new PgReceipts(this.tx, this.write).of(names);
    return new Map([...receipts].map(([name, receipt]) => [nameOf(name), receipt]));
  }
}

function nameArrays(names: readonly Names[]): Buffer[] {
  return [int2Array(names.map(({ iss }) => shardOf(iss))), textArray(names.map(({ iss }) => iss)), uuidArray(names.map(({ jti }) => jti))];
}

/** As `keep_records` takes them. */
function keptArrays(added: readonly AddedRecord[]): Buffer[] {
  const records = added.map(({ record }) => record);
  const force = added.map(({ inForce }) => inForce);
  return [
    int2Array(records.map(({ subject }) => subject.shard)),
    uuidArray(records.map(({ subject }) => subject.uuid)),
    uuidArray(records.map(({ ref }) => ref.uuid)),
    textArray(records.map(({ iss }) => iss)),
    uuidArray(records.map(({ jti }) => jti)),
    int8Array(records.map(({ seq }) => BigInt(seq))),
    textArray(records.map(({ kind }) => kind)),
    timestampArray(records.map(({ issuedAt }) => issuedAt)),
    byteaArray(records.map(({ payloadDigest }) => payloadDigest)),
    byteaArray(records.map(({ received }) => received)),
    timestampArray(records.map(({ acceptedAt }) => acceptedAt)),
    int8Array(records.map(({ factSeq }) => factSeq)),
    textArray(records.map(({ receipt }) => receipt)),
    timestampArray(force.map(({ asOf }) => asOf)),
    timestampArray(force.map(({ validUntil }) => validUntil)),
    jsonbArray(force.map(({ body }) => JSON.stringify(body))),
  ];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
