import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ShardedId, shardOf } from '#kernel';
import { int2Array, int8Array, textArray, uuidArray } from '#platform';
import { plansInside } from '#platform/testing/plans';
import { RECEIPTS_OF } from '#records/adapters/pg-receipts';
import { LOAD_STANDINGS } from './pg-standing-reader.js';
import { BatchWorld, lineOf, textOf } from '../testing/batch-world.js';

/** What a look-up must be narrowed by: the shard alone would be millions of rows one day. Heads and ladders are few. */
const NARROW: ReadonlyMap<string, RegExp> = new Map([
  ['subjects', /subject/],
  ['links', /ref|subject/],
  ['records_in_force', /subject/],
  ['standings', /subject/],
  ['standings_marked', /seq/],
  ['restrictions', /subject/],
  ['records', /jti/],
]);

/** Where statistics mislead the planner: nothing stored, a page, more. */
const SIZES = [0, 40, 600];

let world: BatchWorld;
const known: { subject: ShardedId; ref: ShardedId }[] = [];

beforeAll(async () => {
  world = await BatchWorld.open();
});
afterAll(() => world.close());

it.each(SIZES)('no plan that lines of batches or decisions need reads a table from end to end, with %d lines stored', async (size) => {
  const { database, url } = world.fresh;
  const lines: Buffer[] = [];
  while (lines.length < size) {
    await world.newSubject();
    known.push({ subject: world.subject, ref: world.ref });
    for (let i = 0; i < 10; i++) lines.push(lineOf(world.rated()));
  }
  if (lines.length > 0) await world.runner().run((await world.receive(textOf(lines))).batch.id);
  else await world.newSubject();
  // A record is found by its name before anybody has analysed the table, too.
  const name = [int2Array([shardOf('bank-a')]), textArray(['bank-a']), uuidArray([world.rated().jti])];
  if (size > 100) expect(await wideLookUps(url, RECEIPTS_OF, name, 1)).toEqual([]);
  await database.query('VACUUM ANALYZE');
  const some = known.length > 0 ? known.slice(0, 20) : [{ subject: world.subject, ref: world.ref }];
  const [shards, refs] = [int2Array(some.map(({ ref }) => ref.shard)), uuidArray(some.map(({ ref }) => ref.uuid))];
  expect(await wideLookUps(url, 'SELECT FROM hold_links($1, $2)', [shards, refs])).toEqual([]);
  const subjects = uuidArray(some.map(({ subject }) => subject.uuid));
  expect(await wideLookUps(url, LOAD_STANDINGS, [shards, subjects], 2)).toEqual([]);
  const marks = int8Array(some.map((_, i) => BigInt(i + 1)));
  expect(await wideLookUps(url, 'SELECT FROM hold_due($1, $2, $3, $4)', [shards, subjects, shards, marks])).toEqual([]);
});

async function wideLookUps(url: string, sql: string, values: readonly unknown[], countMin = 3): Promise<string[]> {
  const nodes = (await plansInside(url, sql, values)).filter((node) => NARROW.has(node['Relation Name'] ?? ''));
  const lookUps = nodes.filter((node) => node['Node Type'].endsWith('Scan'));
  expect(lookUps.length).toBeGreaterThanOrEqual(countMin);
  const isNarrow = (node: (typeof lookUps)[number]) =>
    /^Index (Only )?Scan$/.test(node['Node Type']) && NARROW.get(node['Relation Name']!)!.test(node['Index Cond'] ?? '');
  return lookUps.filter((node) => !isNarrow(node)).map((node) => `${node['Node Type']} on ${node['Relation Name']}: ${node['Index Cond']}`);
}
