import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId, shardOf, type ShardedId, uuidV7 } from '#kernel';
import type { BreakPageView, RunPageView, RunView } from '../../../apps/console/src/api.js';
import { type ConsoleClient, signedIn } from './console-client.js';
import { type ConsoleWorld, openConsoleWorld } from './console-world.js';

const START_MS = Date.parse('2026-11-22T08:00:00Z');
const BANKS = ['bank-a', 'bank-b', 'bank-c'];

let world: ConsoleWorld;
let risk: ConsoleClient;
let operator: ConsoleClient;
let runs: ShardedId[];
beforeAll(async () => {
  world = await openConsoleWorld();
  [risk, operator] = await Promise.all([signedIn(world, 'risk'), signedIn(world, 'operator')]);
  runs = [];
  for (let minute = 0; minute < 120; minute++) runs.push(await receive(BANKS[minute % 3]!, minute));
});
afterAll(() => world.close());

/** Every tenth is still under way; of the others, each fifth is broken. */
async function receive(participant: string, minute: number): Promise<ShardedId> {
  const at = new Date(START_MS + minute * 60_000);
  const id = { shard: shardOf(participant), uuid: uuidV7(at.getTime(), randomBytes(10)) };
  const state = minute % 10 === 0 ? 'MATCHING' : minute % 5 === 0 ? 'BROKEN' : 'BALANCED';
  await world.database.query(
    `INSERT INTO reconciliations (shard, id, participant, digest, size_bytes, received_at, closed_at, state, statements, entries, lines_total, lines_read, counts)
     VALUES ($1, $2, $3, sha256(uuid_send($2)), 5000, $4, $5, $6, $7, 2, 2, 2, $8)`,
    [
      ...[id.shard, id.uuid, participant, at, state === 'MATCHING' ? null : at, state],
      ...['[]', JSON.stringify(state === 'BROKEN' ? { MATCHED: 1, MISSING_THEIRS: 1 } : {})],
    ],
  );
  return id;
}

/** A break for each of these payments: the statement says nothing of them. */
async function miss(run: ShardedId, payments: readonly string[]): Promise<void> {
  await world.database.query(
    `INSERT INTO reconciliation_outcomes (shard, reconciliation, n, kind, reason, payment, payment_shard, payment_decision, payment_reference, payment_minor,
            payment_currency, payment_confirmed_at)
     SELECT $1, $2, n, 'MISSING_THEIRS', 'no line bears its reference', payment, 0, payment, 'ORDER-' || n, 100, 'CNY', now()
       FROM unnest($3::uuid[]) WITH ORDINALITY AS p (payment, n)`,
    [run.shard, run.uuid, payments],
  );
}

async function take(run: ShardedId, payment: string): Promise<void> {
  await world.database.query(
    `INSERT INTO reconciliation_outcomes (shard, reconciliation, n, kind, reason, line, payment, payment_shard, payment_decision)
     VALUES ($1, $2, 1, 'LATE', 'booked later', 1, $3, 0, $3)`,
    [run.shard, run.uuid, payment],
  );
}

const read = async <T>(client: ConsoleClient, path: string): Promise<T> => (await client.get(`/api/${path}`).expect(200)).body as T;

async function all(client: ConsoleClient, filter = ''): Promise<RunView[]> {
  const rows: RunView[] = [];
  for (let next: string | null = ''; next !== null;) {
    const page: RunPageView = await read(client, `reconciliations?${filter}${next === '' ? '' : `&before=${next}`}`);
    rows.push(...page.rows);
    next = page.next;
  }
  return rows;
}

describe('the list of reconciliations', () => {
  it('shows every statement once, the newest first, to every role', async () => {
    const expected = runs.map((id) => formatId('rec', id)).reverse();
    for (const client of [risk, operator, await signedIn(world, 'auditor')]) {
      expect((await all(client)).map(({ id }) => id)).toEqual(expected);
    }
  });

  it('is narrowed by bank and state', async () => {
    const broken = await all(operator, 'state=BROKEN');
    expect(broken.map(({ state }) => state)).toEqual(Array(12).fill('BROKEN'));
    expect(broken[0]).toMatchObject({ counts: { MATCHED: 1, MISSING_THEIRS: 1 }, statements: 0, lines: { total: 2, read: 2 } });
    expect((await all(operator, 'state=UNDER_WAY&participant=bank-b')).map(({ participant }) => participant)).toEqual(
      Array(4).fill('bank-b'),
    );
    expect(await all(operator, 'participant=nobody')).toEqual([]);
    for (const query of ['state=LOST', 'before=x', 'more=1']) await operator.get(`/api/reconciliations?${query}`).expect(400);
  });
});

describe('the breaks of a statement', () => {
  const run = () => runs.at(-4)!;
  const path = () => `reconciliations/${formatId('rec', run())}`;
  const payments = Array.from({ length: 60 }, (_, i) => uuidV7(START_MS + i, randomBytes(10)));
  beforeAll(() => miss(run(), payments));

  it('come in pages, and each look is a fact', async () => {
    const before = await viewed();
    const first = await read<BreakPageView>(risk, `${path()}/breaks`);
    expect([first.rows.length, first.next]).toEqual([50, '50']);
    const rest = await read<BreakPageView>(risk, `${path()}/breaks?after=${first.next}`);
    expect([rest.rows.map(({ n }) => n), rest.next]).toEqual([[51, 52, 53, 54, 55, 56, 57, 58, 59, 60], null]);
    expect(first.rows[0]).toMatchObject({
      kind: 'MISSING_THEIRS',
      reference: 'ORDER-1',
      theirs: null,
      ours: { money: { amount: '1.00' } },
    });
    expect(await viewed()).toBe(before + 2);
  });

  it('say where a missing payment was found since, which is open no more', async () => {
    const open = async () => (await read<{ breaks: { open: number } }>(risk, 'overview')).breaks.open;
    expect(await open()).toBe(60);
    const later = runs.at(-1)!;
    expect(later.shard).toBe(run().shard);
    await take(later, payments[0]!);
    const { rows } = await read<BreakPageView>(risk, `${path()}/breaks`);
    expect(rows.slice(0, 2).map(({ foundIn }) => foundIn)).toEqual([formatId('rec', later), null]);
    // What came late is a break of the later statement in its place.
    expect(await open()).toBe(60);
  });

  it('are open to who may see payments, the numbers to all', async () => {
    await operator.get(`/api/${path()}`).expect(200);
    expect((await operator.get(`/api/${path()}/breaks`).expect(403)).body).toMatchObject({ code: 'role.forbidden' });
    const unknown = formatId('rec', { ...run(), uuid: uuidV7(START_MS, randomBytes(10)) });
    expect((await risk.get(`/api/reconciliations/${unknown}`).expect(404)).body).toMatchObject({ code: 'reconciliation.unknown' });
    expect((await risk.get('/api/reconciliations/rec_x').expect(400)).body).toMatchObject({ code: 'id.malformed' });
  });

  const viewed = async () => {
    const rows = await world.database.query(`SELECT 1 FROM facts WHERE kind = 'staff.viewed' AND body LIKE '%reconciliations.breaks%'`);
    return rows.length;
  };
});
