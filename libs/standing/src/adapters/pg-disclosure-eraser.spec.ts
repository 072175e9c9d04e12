import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { DisclosureWorld } from '../testing/disclosure-world.js';
import { PgDisclosureEraser } from './pg-disclosure-eraser.js';

describe('what was told', () => {
  let fresh: FreshDatabase;
  let world: DisclosureWorld;
  let eraser: PgDisclosureEraser;
  beforeAll(async () => {
    fresh = await freshDatabase();
    world = new DisclosureWorld(fresh.database);
    eraser = new PgDisclosureEraser(fresh.database);
  });
  afterAll(() => fresh.close());

  /** Days go by for what was told to somebody: only the owner of the schema can turn back a clock. */
  const age = async (subject: string, days: number) => {
    const owner = new pg.Client({ connectionString: fresh.url });
    await owner.connect();
    const back = (column: string) => `${column} = ${column} - make_interval(days => ${days})`;
    await owner.query(`UPDATE disclosures SET ${back('at')}, ${back('keep_until')} WHERE subject = $1`, [subject]);
    await owner.query(`UPDATE threshold_answers SET ${back('replay_until')}, ${back('bound_until')} WHERE subject = $1`, [subject]);
    await owner.end();
  };

  it('is kept for its days, then erased with what would open its commitment; that it was told stays', async () => {
    const of = await world.subject(800);
    const [consent, threshold] = [await world.granted(of), await world.granted(of, { threshold: { atLeast: 600 } })];
    const key = 'one-read-only';
    await world.read(consent, { key });
    expect(await world.outcome(threshold)).toBe('Y');
    const [fact] = await fresh.database.query<{ body: string }>(
      `SELECT body FROM facts WHERE kind = 'rating.disclosed' ORDER BY seq LIMIT 1`,
    );
    await age(of.subject.uuid, 30);
    expect(await eraser.erase(30, 100)).toBe(0);
    await age(of.subject.uuid, 2);
    expect([await eraser.erase(30, 100), await eraser.erase(30, 100)]).toEqual([3, 0]);
    const rows = await fresh.database.query(
      'SELECT content, salt, seed, holder_key, idempotency_key FROM disclosures ORDER BY idempotency_key',
    );
    const gone = { content: null, salt: null, seed: null, holder_key: null };
    expect(rows).toEqual([
      { ...gone, idempotency_key: key },
      { ...gone, idempotency_key: null },
    ]);
    expect(await world.count('threshold_answers', 'at_least IS NOT NULL')).toBe(0);
    expect(await world.count('consent_uses', `claims = '{score,band}' OR threshold = 600`)).toBe(2);
    expect(await world.count('facts', `kind = 'rating.disclosed' AND body = '${fact!.body}'`)).toBe(1);
    const erased = await fresh.database.query<{ body: string }>(`SELECT body FROM facts WHERE kind = 'rating.erased'`);
    expect(erased.map(({ body }) => JSON.parse(body) as object)).toEqual([{ contents: 2, thresholds: 1, daysAgo: 30 }]);
    // The key is still taken, and what it told is told no more; the threshold is free for another.
    expect(await world.outcome(consent, { key })).toBe('consent.data_life');
    expect(await world.outcome(consent, { key, claims: ['band'] })).toBe('idempotency.key_reused');
    expect(await world.outcome(await world.granted(of, { threshold: { atLeast: 650 } }))).toBe('Y');
  });

  it('is not told again where a clock that was ahead had it erased', async () => {
    const consent = await world.granted(await world.subject(700));
    await world.read(consent, { key: 'erased-too-early' });
    await fresh.database.query('UPDATE disclosures SET content = NULL, salt = NULL, seed = NULL, holder_key = NULL WHERE consent = $1', [
      consent.id.uuid,
    ]);
    expect(await world.outcome(consent, { key: 'erased-too-early' })).toBe('consent.data_life');
  });

  it('is erased once by many sweeps at the same time, in runs of a bounded number', async () => {
    const of = await world.subject(700);
    const consent = await world.granted(of);
    for (let n = 0; n < 7; n++) await world.read(consent);
    await age(of.subject.uuid, 40);
    const first = await Promise.all([1, 2, 3].map(() => eraser.erase(30, 2)));
    expect(Math.max(...first)).toBeLessThanOrEqual(2);
    let total = first.reduce((sum, n) => sum + n, 0);
    for (let n = 1; n > 0; total += n) n = await eraser.erase(30, 2);
    expect(total).toBe(7);
    const facts = await fresh.database.query<{ body: string }>(`SELECT body FROM facts WHERE kind = 'rating.erased'`);
    const told = facts.map(({ body }) => (JSON.parse(body) as { contents: number }).contents);
    expect(told.reduce((sum, n) => sum + n, 0)).toBe(7 + 2);
  });
});
