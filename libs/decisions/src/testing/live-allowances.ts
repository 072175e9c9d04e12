import { type Clock, systemClock } from '#kernel';
import type { Database } from '#platform';
import { PgStandingReader } from '#standing/adapters/pg-standing-reader';
import { PgAllowances } from '../adapters/pg-allowances.js';
import { type AllowanceTerms, Allowances } from '../allowances.js';
import { StandingCache } from '../standing-cache.js';
import { liveDecider } from './live-decider.js';

/** A decider and its allowances on a real database, as one process has them. */
export async function liveAllowances(database: Database, terms: AllowanceTerms, clock: Clock = systemClock) {
  const live = await liveDecider(database, clock);
  const standings = new StandingCache(new PgStandingReader(database));
  const inputs = { policies: live.active, standings, sources: live.sources, terms };
  return { ...live, allowances: new Allowances(live.decider, live.settler, new PgAllowances(database), inputs) };
}
