import { setTimeout as delay } from 'node:timers/promises';
import { asOwner } from './planted.js';

export const NIGHTS_ZONE = 'Europe/Berlin';

/** Instants of Berlin at which windows end or local time jumps, in order: the ledger's time only moves forward. */
const NIGHTS: readonly (readonly [what: string, at: string])[] = [
  ['midnight', '2029-01-16T23:00:00.000Z'],
  ['midnight from Sunday to Monday', '2029-01-21T23:00:00.000Z'],
  ['month end', '2029-01-31T23:00:00.000Z'],
  ['the midnight before clocks go forward', '2029-03-24T23:00:00.000Z'],
  ['two o’clock, which does not exist', '2029-03-25T01:00:00.000Z'],
  ['the end of the day of 23 hours', '2029-03-25T22:00:00.000Z'],
  ['the midnight before clocks go back', '2029-10-27T22:00:00.000Z'],
  ['two o’clock, which comes twice', '2029-10-28T01:00:00.000Z'],
  ['the end of the day of 25 hours', '2029-10-28T23:00:00.000Z'],
];

const stepMs = 80;

/** In ascending order, like everybody who takes several heads. */
const ADVANCE = `WITH held AS (SELECT shard FROM shard_heads ORDER BY shard FOR NO KEY UPDATE)
  UPDATE shard_heads h SET last_at = greatest(h.last_at, $1) FROM held WHERE h.shard = held.shard`;

/** Moves the ledger's time across each of these instants, a few milliseconds at a time, while others work on it. */
export async function crossNights(url: string): Promise<void> {
  await asOwner(url, async (client) => {
    for (const [, at] of NIGHTS) {
      for (const offsetMs of [-5, -1, 0, 1]) {
        const instant = new Date(Date.parse(at) + offsetMs);
        await client.query(ADVANCE, [instant]);
        await delay(stepMs);
      }
    }
  });
}
