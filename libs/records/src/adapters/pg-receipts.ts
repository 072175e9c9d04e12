import { invariant, type Shard, shardOf } from '#kernel';
import { int2Array, type SqlRunner, textArray, uuidArray } from '#platform';
import type { ReceiptGrounds, WriteReceipt } from '../store.js';

interface Name {
  readonly iss: string;
  readonly jti: string;
}

interface Row {
  n: bigint;
  shard: Shard;
  ref: string;
  receipt: string | null;
  payload_digest: Buffer;
  salt: Buffer | null;
  accepted_at: Date;
  fact_seq: bigint;
}

/** Written yet or not. */
type Found<N> = Row & { readonly name: N };

/** For whoever reads records and gives no receipts. */
const writesNone: WriteReceipt = () => Promise.reject(new Error('this process has no key for receipts'));

/** What is known of records by their names, with their receipts as far as there are any. */
export const RECEIPTS_OF = `
  SELECT n.n, r.shard, r.ref, coalesce(r.receipt, g.receipt) AS receipt, r.payload_digest, r.salt, r.accepted_at, r.fact_seq
   FROM unnest($1::smallint[], $2::text[], $3::uuid[]) WITH ORDINALITY AS n (shard, iss, jti, n)
   JOIN record_identities i ON i.shard = n.shard AND i.iss = n.iss AND i.jti = n.jti
   JOIN records r ON r.shard = i.subject_shard AND r.ref = i.ref AND r.jti = i.jti AND r.iss = i.iss
   LEFT JOIN record_receipts g ON g.shard = r.shard AND g.ref = r.ref AND g.jti = r.jti`;

/** Receipts as they were first given. One that was never asked for is signed and kept now; owns `record_receipts`. */
export class PgReceipts {
  constructor(
    private readonly sql: SqlRunner,
    private readonly write: WriteReceipt = writesNone,
  ) {}

  /** By name, as it was asked for; a name without a record is left out. */
  async of<N extends Name>(names: readonly N[]): Promise<ReadonlyMap<N, string>> {
    const found = await this.find(names);
    const missing = found.filter(({ receipt }) => receipt === null);
    if (missing.length === 0) return receiptsIn(found);
    await this.keep(missing);
    // Read again: of two that wrote at once, the first is the receipt.
    return receiptsIn(await this.find(names));
  }

  private async find<N extends Name>(names: readonly N[]): Promise<Found<N>[]> {
    const rows = await this.sql.query<Row>(
      RECEIPTS_OF,
      [int2Array(names.map(({ iss }) => shardOf(iss))), textArray(names.map(({ iss }) => iss)), uuidArray(names.map(({ jti }) => jti))],
      'receipts_of',
    );
    return rows.map((row) => ({ ...row, name: names[Number(row.n) - 1]! }));
  }

  /** In one order, so that two that keep the same never wait in a ring. */
  private async keep(missing: readonly Found<Name>[]): Promise<void> {
    const written = await Promise.all(missing.map(async (row) => ({ ...row, receipt: await this.write(groundsOf(row)) })));
    written.sort((a, b) => a.shard - b.shard || compare(a.ref, b.ref) || compare(a.name.jti, b.name.jti));
    await this.sql.query(
      `INSERT INTO record_receipts (shard, ref, jti, receipt)
       SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[]) ON CONFLICT DO NOTHING`,
      [
        int2Array(written.map(({ shard }) => shard)),
        uuidArray(written.map(({ ref }) => ref)),
        uuidArray(written.map(({ name }) => name.jti)),
        textArray(written.map(({ receipt }) => receipt)),
      ],
      'keep_receipts',
    );
  }
}

function receiptsIn<N>(found: readonly Found<N>[]): Map<N, string> {
  return new Map(
    found.map(({ name, receipt }) => {
      invariant(receipt !== null, 'a receipt was kept before it is read');
      return [name, receipt];
    }),
  );
}

function groundsOf({ name, salt, payload_digest, shard, fact_seq, accepted_at }: Found<Name>): ReceiptGrounds {
  invariant(salt, 'a record has its receipt or its salt');
  const accepted = { shard, seq: fact_seq, at: accepted_at };
  return { iss: name.iss, jti: name.jti, payloadDigest: new Uint8Array(payload_digest), salt: new Uint8Array(salt), accepted };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
