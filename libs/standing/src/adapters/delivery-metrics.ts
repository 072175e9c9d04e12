import { Counter, Gauge } from 'prom-client';
import { shardOf, SHARDS } from '#kernel';
import type { Database } from '#platform';
import { showWebhook } from '../delivery/webhook.js';
import { readWebhook, WEBHOOK_COLUMNS, type WebhookRow } from './webhook-rows.js';

/** Partners that are told of one by one: those whose events wait longest. */
const partnersShownMax = 200;
/** Up to here events are counted; more are told as so many. */
const eventsCountedMax = 1_000;
const STATES = ['UNCONFIRMED', 'ACTIVE', 'FAILING', 'PAUSED'] as const;

/** `outcome`: `taken`; `refused`, by the receiver; or our word for the trouble (`timeout`, `tls_failed`, …). */
export const eventPushes = new Counter({
  name: 'tallystick_event_pushes_total',
  help: 'events pushed to webhooks, by outcome: taken, refused, or the trouble',
  labelNames: ['outcome'],
});

interface Waiting {
  readonly id: string;
  readonly waiting: number;
  readonly dead: number;
  readonly oldest_seconds: number | null;
}

let watched: Database | undefined;

/** One question for all of them, each time that /metrics is asked: the first gauge asks, the others tell. */
let asked: Promise<readonly Waiting[]> = Promise.resolve([]);

const gauge = (name: string, help: string, tell: (one: Waiting) => number | null, asks = false) =>
  new Gauge({
    name,
    help,
    labelNames: ['participant'],
    async collect() {
      if (asks) asked = waitingOf(watched);
      const all = await asked;
      this.reset();
      for (const one of all) {
        const value = tell(one);
        if (value !== null) this.set({ participant: one.id }, value);
      }
    },
  });

gauge(
  'tallystick_events_waiting',
  `events a partner has not acknowledged, dead letters apart; counted up to ${eventsCountedMax}`,
  ({ waiting }) => waiting,
  true,
);
gauge('tallystick_events_oldest_seconds', 'how long the oldest of them has waited', ({ oldest_seconds }) => oldest_seconds);
gauge('tallystick_dead_letters', `events given up after three days; counted up to ${eventsCountedMax}`, ({ dead }) => dead);

new Gauge({
  name: 'tallystick_webhook_state',
  help: 'one for the state that a partner’s webhook is in: UNCONFIRMED, ACTIVE, FAILING or PAUSED',
  labelNames: ['participant', 'state'],
  async collect() {
    const states = await statesOf(watched);
    this.reset();
    for (const { participant, state } of states) for (const one of STATES) this.set({ participant, state: one }, one === state ? 1 : 0);
  },
});

/** Shows at /metrics how events fare, read from the database when it is asked. */
export function watchDeliveries(database: Database): void {
  watched = database;
}

/** The other metrics are still told where the database does not answer. */
async function waitingOf(database: Database | undefined): Promise<readonly Waiting[]> {
  if (!database) return [];
  try {
    const partners = await database.query<{ id: string }>(`SELECT id FROM participants WHERE state IN ('ACTIVE', 'SUSPENDED')`);
    const ids = partners.map(({ id }) => id);
    return await database.query<Waiting>(
      `SELECT p.id, c.waiting, d.dead, extract(epoch FROM clock_timestamp() - o.at)::float8 AS oldest_seconds
         FROM unnest($1::text[], $2::smallint[]) AS p (id, shard)
         LEFT JOIN LATERAL (SELECT e.at FROM events e
                             WHERE e.shard = p.shard AND e.participant_id = p.id AND e.acked_at IS NULL AND e.dead_at IS NULL
                             ORDER BY e.at, e.origin_shard, e.origin_seq LIMIT 1) o ON true
        CROSS JOIN LATERAL (SELECT count(*)::int AS waiting FROM (SELECT FROM events e
                             WHERE e.shard = p.shard AND e.participant_id = p.id AND e.acked_at IS NULL AND e.dead_at IS NULL LIMIT $3) n) c
        CROSS JOIN LATERAL (SELECT count(*)::int AS dead FROM (SELECT FROM event_pushes f
                             WHERE f.shard = p.shard AND f.participant_id = p.id AND f.dead_at IS NOT NULL LIMIT $3) n) d
        ORDER BY o.at NULLS LAST, p.id LIMIT $4`,
      [ids, ids.map(shardOf), eventsCountedMax, partnersShownMax],
    );
  } catch {
    return [];
  }
}

async function statesOf(database: Database | undefined) {
  if (!database) return [];
  try {
    const rows = await database.query<WebhookRow>(
      `SELECT ${WEBHOOK_COLUMNS} FROM webhooks WHERE shard = ANY ($1::smallint[]) ORDER BY failing_since NULLS LAST, participant_id LIMIT $2`,
      [SHARDS, partnersShownMax],
    );
    return rows.map((row) => showWebhook(readWebhook(row)));
  } catch {
    return [];
  }
}
