import type { TokenStatus } from '#evidence';
import type { Shard } from '#kernel';
import type { SqlRunner } from '#platform';
import type { StatusOfFact, StatusReader } from '../disclosure/store.js';

/** A record that was there when the rating was read, and was corrected or withdrawn since. Who was told restrictions only, was told of violations. */
const CORRECTED = `
  SELECT FROM records x
    JOIN records r ON r.shard = x.shard AND r.subject = x.subject AND r.iss = x.iss AND r.jti = x.names
   WHERE x.shard = d.shard AND x.subject = d.subject AND x.fact_seq > d.fact_seq AND x.kind IN ('correction', 'withdrawal')
     AND r.fact_seq < d.fact_seq AND (told.score OR (told.restrictions AND r.kind IN ('violation', 'correction')))`;

/** One that a dispute ended with no record that says so: withdrawn by the answer, or lost by a silent furnisher. */
const REMOVED = `
  SELECT FROM disputes x
   WHERE x.shard = d.shard AND x.subject = d.subject AND x.outcome IN ('WITHDRAWN', 'SILENT') AND x.closed_seq > d.fact_seq
     AND x.record_seq < d.fact_seq AND (told.score OR (told.restrictions AND x.kind = 'violation'))`;

/** A restriction that stood when the rating was read, and of which an appeal said that it should not have. */
const OVERTURNED = `
  SELECT FROM restrictions r
    LEFT JOIN restriction_appeals a ON a.shard = r.shard AND a.subject = r.subject AND a.restriction = r.id
    JOIN standing_versions v ON v.shard = r.shard AND v.subject = r.subject AND v.version = d.standing_version
   WHERE told.restrictions AND r.shard = d.shard AND r.subject = d.subject AND (r.lifted_why = 'OVERTURNED' OR a.state = 'OVERTURNED')
     AND v.content -> 'restrictions' @> jsonb_build_array(jsonb_build_object('id', r.id))`;

/** Every credential says whether it is disputed: one that was read before may not go on saying that it is not. */
const DISPUTED_SINCE = `
  SELECT FROM disputes x
   WHERE x.shard = d.shard AND x.subject = d.subject AND x.state <> 'CLOSED' AND x.opened_seq > d.fact_seq AND x.record_seq < d.fact_seq`;

const NAMED = `
  SELECT d.fact_seq, CASE WHEN fallen.is THEN 'INVALID' ELSE 'SUSPENDED' END AS status
    FROM disclosures d
    JOIN consents c ON c.shard = d.shard AND c.id = d.consent
    JOIN links l ON l.shard = d.shard AND l.ref = d.link
    JOIN consent_uses u ON u.shard = d.shard AND u.consent = d.consent AND u.n = d.n
   CROSS JOIN LATERAL (SELECT u.claims && ARRAY['score', 'band', 'factors'] AS score, 'restrictions' = ANY (u.claims) AS restrictions) told
   CROSS JOIN LATERAL (
     SELECT c.state = 'REVOKED' OR l.state = 'ENDED' OR EXISTS (${CORRECTED}) OR EXISTS (${REMOVED}) OR EXISTS (${OVERTURNED}) AS is) fallen
   WHERE d.shard = $1 AND d.fact_seq >= $2 AND d.fact_seq < $3 AND d.holder_key IS NOT NULL AND d.keep_until > $4
     AND (fallen.is OR c.state = 'PAUSED' OR EXISTS (${DISPUTED_SINCE}))`;

/** What status lists are made of. */
export class PgStatusReader implements StatusReader {
  private known: ReadonlyMap<Shard, string> | undefined;

  constructor(private readonly sql: SqlRunner) {}

  async secrets(): Promise<ReadonlyMap<Shard, string>> {
    if (this.known) return this.known;
    const rows = await this.sql.query<{ shard: Shard; secret: string }>('SELECT shard, secret FROM status_list_secrets');
    this.known = new Map(rows.map(({ shard, secret }) => [shard, secret]));
    return this.known;
  }

  async named(shard: Shard, from: bigint, before: bigint, at: Date): Promise<StatusOfFact[] | undefined> {
    const [head] = await this.sql.query<{ last_seq: bigint }>('SELECT last_seq FROM shard_heads WHERE shard = $1', [shard]);
    if (!head || head.last_seq < from) return undefined;
    const rows = await this.sql.query<{ fact_seq: bigint; status: TokenStatus }>(NAMED, [shard, from, before, at]);
    return rows.map(({ fact_seq, status }) => ({ factSeq: fact_seq, status }));
  }
}
