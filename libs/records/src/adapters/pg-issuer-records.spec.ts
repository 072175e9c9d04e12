import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shardOf, SHARDS, uuidV7 } from '#kernel';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { PgIssuerRecords } from './pg-issuer-records.js';

const BANK = 'bank-a';
const AT = Date.UTC(2026, 10, 22);
let fresh: FreshDatabase;
let records: PgIssuerRecords;

/** A record as it is kept: only its names, its time and the header of its JWS matter here. */
async function keep(seq: number, kid: string, minute: number, iss = BANK): Promise<string> {
  const jti = uuidV7(AT + seq, randomBytes(10));
  const shard = SHARDS[seq % SHARDS.length]!;
  const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid, typ: 'credit-record+jwt' })).toString('base64url');
  const at = new Date(AT + minute * 60_000);
  await fresh.database.query(
    `INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref) VALUES ($1, $2, $3, $4, '', $5, $3)`,
    [shardOf(iss), iss, jti, seq, shard],
  );
  await fresh.database.query(
    `INSERT INTO records (shard, ref, iss, jti, seq, subject, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, receipt)
     VALUES ($1, $2, $3, $2, $4, $2, 'rating', $5, '', $6, $5, $4, '')`,
    [shard, jti, iss, seq, at, Buffer.from(`${header}.e30.AA`)],
  );
  return jti;
}

/** Many records of one shard, all under a good key. */
async function keepMany(count: number, iss: string): Promise<void> {
  const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid: 'good', typ: 'credit-record+jwt' })).toString('base64url');
  await fresh.database.query(
    `INSERT INTO records (shard, ref, iss, jti, seq, subject, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, receipt)
     SELECT $1, id, $2, id, n, id, 'rating', $3, '', $4, $3, 100000 + n, ''
       FROM (SELECT n, gen_random_uuid() AS id FROM generate_series(1, $5::int) n) made`,
    [SHARDS[0], iss, new Date(AT + 60_000), Buffer.from(`${header}.e30.AA`), count],
  );
}

beforeAll(async () => {
  fresh = await freshDatabase();
  records = new PgIssuerRecords(fresh.database);
});
afterAll(() => fresh.close());

describe('the records of an issuer', () => {
  it('show the numbers that were not used, newest first, and nobody else’s', async () => {
    expect(await records.gaps('bank-g', 10)).toEqual([]);
    for (const seq of [3, 4, 7, 8, 20]) await keep(seq, 'k', 0, 'bank-g');
    await keep(5, 'k', 0, 'bank-h');
    expect(await records.gaps('bank-g', 10)).toEqual([
      { from: 9, to: 19 },
      { from: 5, to: 6 },
    ]);
    expect(await records.gaps('bank-g', 1)).toEqual([{ from: 9, to: 19 }]);
  });

  it('since a key is suspected are found under that key, page by page and each once', async () => {
    const since = new Date(AT + 10 * 60_000);
    const suspect: string[] = [];
    for (let n = 0; n < 40; n++) {
      await keep(1_000 + n, 'good', 15);
      await keep(2_000 + n, 'stolen', 5);
      suspect.push(await keep(3_000 + n, 'stolen', 10 + n));
    }
    await keep(9_000, 'stolen', 15, 'bank-b');
    const found: string[] = [];
    let after: Parameters<PgIssuerRecords['suspects']>[2];
    do {
      const page = await records.suspects(BANK, { kid: 'stolen', since }, after, 7);
      expect(page.records.length).toBeLessThanOrEqual(7);
      found.push(...page.records.map(({ jti }) => jti));
      after = page.next;
    } while (after);
    expect(found).toHaveLength(40);
    expect(new Set(found)).toEqual(new Set(suspect));
  });

  it('end a page after ten thousand that are not under the key, and the next one goes on behind them', async () => {
    await keepMany(10_600, 'bank-m');
    const suspect = await keep(SHARDS.length, 'stolen', 5, 'bank-m');
    let rowsLookedAt = 0;
    const counting = new PgIssuerRecords({
      typeOid: (type) => fresh.database.typeOid(type),
      async query<Row extends object>(sql: string, params?: readonly unknown[]) {
        const rows = await fresh.database.query<Row>(sql, params);
        rowsLookedAt += rows.length;
        return rows;
      },
    });
    const first = await counting.suspects('bank-m', { kid: 'stolen', since: new Date(AT) }, undefined, 100);
    expect(first).toMatchObject({ records: [], next: { shard: SHARDS[0] } });
    expect(rowsLookedAt).toBeLessThanOrEqual(10_500);
    const second = await counting.suspects('bank-m', { kid: 'stolen', since: new Date(AT) }, first.next, 100);
    expect(second.records.map(({ jti }) => jti)).toEqual([suspect]);
    expect(second.next).toBeUndefined();
  });
});
