import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { shardOf, uuidV7 } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { NAMES_TAKEN, PgTogetherBooks } from './pg-together-books.js';

const ROWS = 3_000;
const iss = 'bank-a';
const shard = shardOf(iss);

let fresh: FreshDatabase;
let owner: pg.Client;
const jtis = Array.from({ length: ROWS }, (_, i) => uuidV7(Date.now() + i, randomBytes(10)));

/** Nobody has analysed the table: what the planner believes of it is what it believes of any. */
beforeAll(async () => {
  fresh = await freshDatabase();
  owner = new pg.Client({ connectionString: fresh.url });
  await owner.connect();
  await owner.query('ALTER TABLE record_identities SET (autovacuum_enabled = off)');
  await owner.query(
    `INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref)
     SELECT $1, $2, jti, 2 * seq, sha256('payload'), 0, gen_random_uuid() FROM unnest($3::uuid[]) WITH ORDINALITY AS r (jti, seq)`,
    [shard, iss, jtis],
  );
});
afterAll(async () => {
  await owner.end();
  await fresh.close();
});

it('finds each name by itself, however many the issuer has', async () => {
  const values = [[shard], [iss], [jtis[7]], [15]];
  const { rows } = await owner.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) ${NAMES_TAKEN}`,
    values,
  );
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Index Scan using record_identities_pkey/);
  expect(plan).toMatch(/Index Scan using record_identities_seq_key/);
  expect(plan).not.toMatch(/Seq Scan|Sort|Rows Removed by Filter: \d{2}/);
});

it('tells names that are taken, by their jti or by their seq', async () => {
  const name = (jti: string, seq: number) => ({ iss, jti, seq, payloadDigest: new Uint8Array(32), ref: { shard, uuid: jtis[0]! } });
  const free = uuidV7(0, randomBytes(10));
  const asked = [name(jtis[7]!, 1), name(free, 20), name(free, 21), { ...name(jtis[7]!, 16), iss: 'bank-b' }];
  const taken = await fresh.database.transaction((tx) => new PgTogetherBooks(tx).taken(asked));
  expect(taken.map(({ jti, seq }) => [jti, seq])).toEqual([
    [jtis[7], 16],
    [jtis[9], 20],
  ]);
});
