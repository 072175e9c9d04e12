import { Gauge } from 'prom-client';
import type { Database } from '#platform';
import { PgPolicyBook } from '#policies/adapters/pg-policy-book';
import type { ShadowStanding } from '../history/shadow.js';
import { shadowDesk } from './backtests.js';

let watched: Database | undefined;

new Gauge({
  name: 'tallystick_shadow_decisions',
  help: 'of versions in shadow: decisions compared, those that differ in outcome, computed, discount, reasons or counters, and facts behind',
  labelNames: ['version', 'what'],
  async collect() {
    this.reset();
    for (const { version, decided, behind } of await standings(watched)) {
      const counts = { compared: decided.decisions.count, ...decided.differing, behind: Number(behind) };
      for (const [what, count] of Object.entries(counts)) this.set({ version: String(version), what }, count);
    }
  },
});

/** Shows at /metrics what versions in shadow would change, read from the database when it is asked. */
export function watchShadows(database: Database): void {
  watched = database;
}

/** The other metrics are still told where the database does not answer. */
async function standings(database: Database | undefined): Promise<ShadowStanding[]> {
  if (!database) return [];
  const shadows = shadowDesk(database);
  try {
    const inShadow = (await new PgPolicyBook(database).list()).filter(({ state }) => state === 'SHADOW');
    return await Promise.all(inShadow.map(({ version }) => shadows.report(version)));
  } catch {
    return [];
  }
}
