import { shardOf } from '#kernel';
import type { SqlRunner } from '#platform';
import type { PartnerView, WebhookView } from '../api.js';

interface Row {
  readonly url: string | null;
  readonly confirmed_at: Date | null;
  readonly paused_why: string | null;
  readonly failing_since: Date | null;
  readonly failure: { readonly err: string; readonly description?: string } | null;
  readonly next_try_at: Date | null;
  readonly delivered_at: Date | null;
  readonly failing: bigint;
  readonly dead: bigint;
  readonly probed_at: Date | null;
  readonly probes: number | null;
  readonly failed: string[] | null;
}

const COUNTED_MAX = 10_000;

/** How partners hear of events: their webhooks, what these hold back, and how their receivers fared when they were probed. In the order asked. */
export async function readDeliveries(sql: SqlRunner, ids: readonly string[]): Promise<Pick<PartnerView, 'webhook' | 'conformance'>[]> {
  const rows = await sql.query<Row>(
    `SELECT w.url, w.confirmed_at, w.paused_why, w.failing_since, w.failure, w.next_try_at, w.delivered_at,
            (SELECT count(*) FROM (SELECT FROM event_pushes f WHERE f.shard = p.shard AND f.participant_id = p.id AND f.dead_at IS NULL LIMIT $3) c) AS failing,
            (SELECT count(*) FROM (SELECT FROM event_pushes d WHERE d.shard = p.shard AND d.participant_id = p.id AND d.dead_at IS NOT NULL LIMIT $3) c) AS dead,
            c.at AS probed_at, c.probes, c.failed
       FROM unnest($1::text[], $2::smallint[]) WITH ORDINALITY AS p (id, shard, n)
       LEFT JOIN webhooks w ON w.shard = p.shard AND w.participant_id = p.id
       LEFT JOIN LATERAL (SELECT at, probes, failed FROM conformance_runs r WHERE r.shard = p.shard AND r.participant_id = p.id
                           ORDER BY r.fact_seq DESC LIMIT 1) c ON true
      ORDER BY p.n`,
    [ids, ids.map(shardOf), COUNTED_MAX],
  );
  return rows.map((row) => ({
    webhook: row.url === null ? null : webhookOf(row, row.url),
    conformance: row.probed_at && { at: row.probed_at.toISOString(), probes: row.probes ?? 0, failed: row.failed ?? [] },
  }));
}

function webhookOf(row: Row, url: string): WebhookView {
  const { failure, next_try_at: next, delivered_at: delivered } = row;
  return {
    origin: new URL(url).origin,
    state: stateOf(row),
    pausedWhy: row.paused_why,
    trouble: failure && `${failure.err}${failure.description ? `: ${failure.description}` : ''}`,
    nextTryAt: next?.toISOString() ?? null,
    deliveredAt: delivered?.toISOString() ?? null,
    failing: Number(row.failing),
    dead: Number(row.dead),
  };
}

function stateOf({ paused_why: paused, confirmed_at: confirmed, failing_since: failing }: Row): WebhookView['state'] {
  if (paused !== null) return 'PAUSED';
  if (confirmed === null) return 'UNCONFIRMED';
  return failing === null ? 'ACTIVE' : 'FAILING';
}
