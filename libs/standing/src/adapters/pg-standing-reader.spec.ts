import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addSubjects } from '#decisions/testing/subjects';
import type { ShardedId } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import type { Standing } from '../standing.js';
import { PgStandingReader } from './pg-standing-reader.js';

const FACTORS = [{ code: 'LATE', text: 'A payment was late.' }];
const DISPUTED = [{ iss: 'https://bank.example', rootJti: 'r-1' }];

describe('PgStandingReader', () => {
  let fresh: FreshDatabase;
  let reader: PgStandingReader;
  let subjects: ShardedId[];
  beforeAll(async () => {
    fresh = await freshDatabase();
    subjects = await addSubjects(fresh.database, 6, 640);
    reader = new PgStandingReader(fresh.database);
  });
  afterAll(() => fresh.close());

  const change = async ({ uuid }: ShardedId, assignment: string, value: unknown) => {
    await fresh.database.query(`UPDATE standings SET ${assignment} WHERE subject = $1`, [uuid, value]);
  };
  const load = async (...wanted: ShardedId[]) => (await reader.load(wanted)) as Standing[];

  it('lets subjects share what tells the same score and the same factors, and nothing else', async () => {
    const [plain, alike, late, disputed, other, higher] = subjects as [ShardedId, ShardedId, ShardedId, ShardedId, ShardedId, ShardedId];
    await change(late, 'factors = $2', JSON.stringify(FACTORS));
    await change(disputed, 'disputed = $2', JSON.stringify(DISPUTED));
    await change(other, 'scorecard = $2', 'test-2');
    await change(higher, 'score = $2', 641);
    const [a, b, c, d, e, f] = (await load(...subjects)) as [Standing, Standing, Standing, Standing, Standing, Standing];
    expect(a.subject).toEqual(plain);
    expect(b.subject).toEqual(alike);
    expect([a, b, c, d, e, f].map(({ score }) => score)).toEqual([
      { value: 640, version: 'test-1' },
      { value: 640, version: 'test-1' },
      { value: 640, version: 'test-1' },
      { value: 640, version: 'test-1', disputed: true },
      { value: 640, version: 'test-2' },
      { value: 641, version: 'test-1' },
    ]);
    expect(b.score).toBe(a.score);
    expect(b.factors).toBe(a.factors);
    expect([a.factors, c.factors]).toEqual([[], FACTORS]);
    expect((await load(plain, late)).map(({ score }) => score)).toEqual([a.score, a.score]);
  });

  it('tells a change at once, and nothing of whom it does not know', async () => {
    const [subject] = subjects as [ShardedId];
    await change(subject, 'score = $2', 700);
    await change(subject, 'factors = $2', JSON.stringify(FACTORS));
    const [known, unknown] = await reader.load([subject, { shard: subject.shard, uuid: '00000000-0000-7000-8000-000000000000' }]);
    expect(known).toMatchObject({ subject, score: { value: 700 }, factors: FACTORS, restrictions: [] });
    expect(unknown).toBeUndefined();
  });
});
