import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { plansInside } from '#platform/testing/plans';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import type { DecisionItem } from '../decision.js';
import { prepareItem } from '../prepare-item.js';
import { liveDecider, requestOf } from '../testing/live-decider.js';
import { addSubjects } from '../testing/subjects.js';
import { batchTypes, inspectColumns, reserveColumns } from './batch-columns.js';
import { INSPECT, RESERVE, reserveItems } from './pg-decision-ledger.js';
import { settleColumns } from './pg-reservations.js';

/** What a look-up must be narrowed by: the shard alone would be thousands of rows an hour later. Heads are few. */
const NARROW: ReadonlyMap<string, RegExp> = new Map([
  ['usage', /subject.*counter.*window_start/],
  ['decisions', /subject.*caller.*key/],
  ['reservations', /subject.*expires_at|payment_reference.*service|reservation >=.*reservation <=/],
  ['settlements', /reservation.*kind.*key/],
  ['standings', /subject/],
]);

/** Where statistics have misled the planner: nothing, a page, a few pages, more. */
const SIZES = [0, 60, 200, 500, 2_000];
const SUBJECTS = 500;
const SCORE = { version: 1n, score: { value: 720, version: 'test-1' }, factors: [], restrictions: [] };

let fresh: FreshDatabase;
let prepare: (count: number, reference?: string) => DecisionItem[];

beforeAll(async () => {
  fresh = await freshDatabase();
  await new PgPolicies(fresh.database).activate(policyInput(), { author: 'ann', approver: 'ben' }, new Date());
  const live = await liveDecider(fresh.database);
  const subjects = await addSubjects(fresh.database, SUBJECTS);
  let turn = 0;
  prepare = (count, reference) =>
    Array.from({ length: count }, () => {
      const subject = subjects[turn++ % SUBJECTS]!;
      const request = requestOf(subject, reference === undefined ? {} : { paymentReference: `${reference}-${turn}` });
      const standing = { ...SCORE, subject, kind: 'INDIVIDUAL' } as const;
      const ask = { caller: 'checkout-service', key: `plan-key-${turn}`, request };
      return prepareItem(ask, new Uint8Array(32), { policy: live.active.current(), standing, at: new Date() }, live.sources).item;
    });
});
afterAll(() => fresh.close());

it.each(SIZES)('no plan is kept from tables of %d rows that would age badly', async (size) => {
  const { database } = fresh;
  const [{ count } = { count: 0 }] = await database.query<{ count: bigint }>('SELECT count(*) FROM decisions');
  if (size > count) await reserveItems(database, prepare(size - Number(count)));
  await database.query('VACUUM ANALYZE');
  const items = prepare(2, 'PLAN');
  await refuseWidePlans(RESERVE, reserveColumns(items, await batchTypes(database)));
  await refuseWidePlans(INSPECT, inspectColumns(items, await batchTypes(database)));
  await reserveItems(database, items);
  const asks = items.map(({ decision }) => ({
    ...{ caller: 'checkout-service', reservation: decision, key: 'refund-1' },
    settlement: { kind: 'refund', money: undefined } as const,
  }));
  await refuseWidePlans('SELECT item FROM settle_batch($1, $2, $3)', settleColumns(asks, await database.typeOid('settlement_ask')));
});

async function refuseWidePlans(sql: string, values: unknown[]): Promise<void> {
  const nodes = await plansInside(fresh.url, sql, values);
  const lookUps = nodes.filter((node) => NARROW.has(node['Relation Name'] ?? '') && /Scan$/.test(node['Node Type']));
  expect(lookUps.length).toBeGreaterThanOrEqual(3);
  for (const node of lookUps) {
    if (node['Node Type'] === 'Tid Scan') continue;
    expect(node['Node Type']).toMatch(/^Index (Only )?Scan$/);
    expect(node['Index Cond']).toMatch(NARROW.get(node['Relation Name']!)!);
  }
}
