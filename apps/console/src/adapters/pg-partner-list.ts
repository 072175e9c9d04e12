import { shardOf } from '#kernel';
import type { SqlRunner } from '#platform';
import type { CertificateView, KeyView, PartnerView } from '../api.js';
import { readDeliveries } from './pg-partner-deliveries.js';

/** A partner as PostgreSQL knows it; whoever proposed to close it is still an account's id. */
export type ListedPartner = Omit<PartnerView, 'closing'> & { readonly closing: Omit<NonNullable<PartnerView['closing']>, 'byMe'> | null };

interface Row {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly state_reason: string | null;
  readonly addresses: string[];
  readonly suspend_from: Date | null;
  readonly suspend_reason: string | null;
  readonly closing_by: string | null;
  readonly closing_reason: string | null;
  readonly closing_at: Date | null;
  readonly certificates: CertificateView[];
  readonly keys: KeyView[];
}

const EVENTS_COUNTED_MAX = 10_000;

/** Partners with what they connect and sign with. The registry itself stays with the room; this adds what other rooms hold for them. */
export class PgPartnerList {
  constructor(private readonly sql: SqlRunner) {}

  async read(): Promise<ListedPartner[]> {
    const rows = await this.sql.query<Row>(
      `SELECT p.id, p.name, p.state, p.state_reason, p.addresses, p.suspend_from, p.suspend_reason, p.closing_by, p.closing_reason, p.closing_at,
              coalesce((SELECT json_agg(json_build_object('fingerprint', c.x5t, 'serial', c.serial, 'notAfter', to_json(c.not_after),
                          'state', CASE WHEN c.revoked_at IS NULL THEN 'ACTIVE' ELSE 'REVOKED' END) ORDER BY c.revoked_at IS NOT NULL, c.not_after DESC)
                          FROM participant_certificates c WHERE c.participant_id = p.id), '[]') AS certificates,
              coalesce((SELECT json_agg(json_build_object('kid', k.kid, 'algorithm', k.alg, 'state', k.state, 'notAfter', to_json(k.not_after))
                                        ORDER BY k.added_at DESC)
                          FROM participant_keys k WHERE k.participant_id = p.id), '[]') AS keys
         FROM participants p ORDER BY p.name, p.id`,
    );
    const ids = rows.map(({ id }) => id);
    const [counts, deliveries] = await Promise.all([this.countExchange(ids), readDeliveries(this.sql, ids)]);
    return rows.map((row, i) => ({ ...toPartner(row), ...counts[i]!, ...deliveries[i]! }));
  }

  /** `seq` is unique per issuer, so the highest one is known by an index; events that wait are few or a sign of trouble. */
  private async countExchange(ids: readonly string[]): Promise<Pick<PartnerView, 'lastSeq' | 'eventsWaiting'>[]> {
    const rows = await this.sql.query<{ last_seq: bigint | null; waiting: bigint }>(
      `SELECT (SELECT max(r.seq) FROM record_identities r WHERE r.shard = p.shard AND r.iss = p.id) AS last_seq,
              (SELECT count(*) FROM (SELECT 1 FROM events e WHERE e.shard = p.shard AND e.participant_id = p.id AND e.acked_at IS NULL
                                                              AND e.dead_at IS NULL LIMIT $3) counted) AS waiting
         FROM unnest($1::text[], $2::smallint[]) WITH ORDINALITY AS p (id, shard, n) ORDER BY p.n`,
      [ids, ids.map(shardOf), EVENTS_COUNTED_MAX],
    );
    return rows.map(({ last_seq, waiting }) => ({ lastSeq: last_seq?.toString() ?? null, eventsWaiting: Number(waiting) }));
  }
}

function toPartner(row: Row): Omit<ListedPartner, 'lastSeq' | 'eventsWaiting' | 'webhook' | 'conformance'> {
  const { id, name, state, state_reason: stateReason, addresses, certificates, keys } = row;
  const suspension = row.suspend_from && { from: row.suspend_from.toISOString(), reason: row.suspend_reason ?? '' };
  const closing = row.closing_at && { by: row.closing_by ?? '', reason: row.closing_reason ?? '', at: row.closing_at.toISOString() };
  return { id, name, state, stateReason, suspension, closing, addresses, certificates, keys };
}
