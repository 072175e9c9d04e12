import { type Shard, shardOf, SHARDS } from '#kernel';
import type { SqlRunner } from '#platform';
import { type IssuerRecords, type SeqGap, seqsLookedAtMax, type SuspectCursor, type SuspectRecord } from '../issuer-records.js';

interface RecordRow {
  jti: string;
  kind: string;
  seq: bigint;
  accepted_at: Date;
  fact_seq: bigint;
  header: Buffer;
}

/** Reads `record_identities` and `records` by issuer. Rare questions: each is bounded by an index and a count. */
export class PgIssuerRecords implements IssuerRecords {
  constructor(private readonly sql: SqlRunner) {}

  async gaps(iss: string, countMax: number): Promise<SeqGap[]> {
    const rows = await this.sql.query<{ from_seq: bigint; to_seq: bigint }>(
      `SELECT below + 1 AS from_seq, seq - 1 AS to_seq
         FROM (SELECT seq, lead(seq) OVER (ORDER BY seq DESC) AS below
                 FROM (SELECT seq FROM record_identities WHERE shard = $1 AND iss = $2 ORDER BY seq DESC LIMIT $3) latest) pairs
        WHERE below < seq - 1 ORDER BY seq DESC LIMIT $4`,
      [shardOf(iss), iss, seqsLookedAtMax, countMax],
    );
    return rows.map(({ from_seq, to_seq }) => ({ from: Number(from_seq), to: Number(to_seq) }));
  }

  async suspects(iss: string, { kid, since }: { kid: string; since: Date }, after: SuspectCursor | undefined, countMax: number) {
    const records: SuspectRecord[] = [];
    let from = after ?? startOf(SHARDS[0]!, since);
    let rowsLookedAt = 0;
    for (const shard of SHARDS.slice(SHARDS.indexOf(from.shard))) {
      if (shard !== from.shard) from = startOf(shard, since);
      for (let rows = await this.receivedOn(shard, iss, from); rows.length > 0; rows = await this.receivedOn(shard, iss, from)) {
        if (rowsLookedAt >= rowsLookedAtMax) return { records, next: from };
        for (const row of rows) {
          if (records.length === countMax) return { records, next: from };
          from = { shard, acceptedAt: row.accepted_at, jti: row.jti };
          if (kidOf(row.header) === kid) records.push(suspect(shard, row));
        }
        rowsLookedAt += rows.length;
        if (rows.length < rowsAtOnce) break;
      }
    }
    return { records };
  }

  private receivedOn(shard: Shard, iss: string, { acceptedAt, jti }: SuspectCursor): Promise<RecordRow[]> {
    return this.sql.query<RecordRow>(
      `SELECT r.jti, r.kind, r.seq, r.accepted_at, r.fact_seq, substring(signed.jws FROM 1 FOR position('\\x2e'::bytea IN signed.jws) - 1) AS header
         FROM records r
         LEFT JOIN sealed_records s ON s.shard = $6 AND s.iss = r.iss AND s.jti = r.jti
         LEFT JOIN record_batches b ON b.shard = $6 AND b.batch = coalesce(r.batch, s.batch)
        CROSS JOIN LATERAL (SELECT coalesce(b.manifest, r.jws) AS jws) signed
        WHERE r.shard = $1 AND r.iss = $2 AND (r.accepted_at, r.jti) > ($3, $4::uuid) ORDER BY r.accepted_at, r.jti LIMIT $5`,
      [shard, iss, acceptedAt, jti, rowsAtOnce, shardOf(iss)],
    );
  }
}

const rowsAtOnce = 500;
/** Of all that came since a key is suspected little may be under it: a page ends here at the latest, full or not. */
const rowsLookedAtMax = 10_000;

const NIL = '00000000-0000-0000-0000-000000000000';

function startOf(shard: Shard, acceptedAt: Date): SuspectCursor {
  return { shard, acceptedAt, jti: NIL };
}

/** The record or the manifest over it was accepted, so that its header is known to be JSON with a kid. */
function kidOf(header: Buffer): string {
  return (JSON.parse(Buffer.from(header.toString('latin1'), 'base64url').toString('utf8')) as { kid: string }).kid;
}

function suspect(shard: Shard, { jti, kind, seq, accepted_at, fact_seq }: RecordRow): SuspectRecord {
  return { jti, kind, seq: Number(seq), acceptedAt: accepted_at, fact: { shard, seq: fact_seq } };
}
