import 'reflect-metadata';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BacktestAnswer, BacktestReportAnswer, ShadowAnswer } from '#contract';
import { shadowFollower } from '#decisions/adapters/backtests';
import { activate, live, SMALL_LIMITS } from '#decisions/testing/lived-history';
import { addSubjects } from '#decisions/testing/subjects';
import { parseId } from '#kernel';
import { createSigner, SIGNER_NAMES } from '#platform';
import { policyLife } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { PolicyClient } from '#sdk';
import { type DecisionWorld, decisionWorld, newKey } from '../world/decision-world.js';
import { until } from '../world/worker-world.js';

const WORKER = 'dist/apps/worker/src/main.js';
const SCOPES = 'policies:read policies:write';
const stricter = policyInput({ version: 3, limits: [{ ...SMALL_LIMITS![0]!, amount: '150.00' }, ...SMALL_LIMITS!.slice(1)] });

let world: DecisionWorld;
let worker: ChildProcess | undefined;

const get = async <T>(url: string) => (await world.http('GET', url, { token: world.token(SCOPES) })).body as unknown as T;
const post = (url: string, call: object = {}) => world.http('POST', url, { key: newKey(), token: world.token(SCOPES), ...call });
const ask = async (body: object) => (await post('/v1/backtests', { body })).body as unknown as BacktestAnswer;
const stateOf = (id: string) => get<BacktestAnswer>(`/v1/backtests/${id}`);
const ended = (id: string) =>
  until(async () => {
    const found = await stateOf(id);
    return found.state === 'REQUESTED' || found.state === 'RUNNING' ? undefined : found;
  });

function startWorker(): ChildProcess {
  const { TALLYSTICK_HOME } = world.config;
  const env = { PATH: process.env['PATH'], TALLYSTICK_ENV: 'test', TALLYSTICK_HOME, DATABASE_URL: world.fresh.url, WORKER_PORT: '0' };
  return spawn(process.execPath, [WORKER], { env: { ...env, LOG_LEVEL: 'silent' }, stdio: 'ignore' });
}

beforeAll(async () => {
  world = await decisionWorld();
  for (const name of SIGNER_NAMES) createSigner(world.config, name);
  await activate(world.fresh.database, 2);
  const subjects = await addSubjects(world.fresh.database, 100);
  await live(world.fresh.database, subjects.slice(0, 20), 60, 'first');
  await policyLife(world.fresh.database).draft(stricter, 'ann', new Date());
  await post('/v1/policies/versions/3/shadow');
  await live(world.fresh.database, subjects, 500, 'second');
});
afterEach(() => {
  worker?.kill('SIGKILL');
  worker = undefined;
});
afterAll(() => world?.close());

describe('a service that asks what a draft would change', () => {
  it('sees what the shadow found, in decimal amounts', async () => {
    await shadowFollower(world.fresh.database).run();
    const shadow = await get<ShadowAnswer>('/v1/policies/versions/3/shadow');
    expect(shadow).toMatchObject({ version: '3', state: 'SHADOW', behind: 0 });
    expect(shadow.found.differing.outcome).toBeGreaterThan(0);
    expect(shadow.found.decisions.amount).toMatch(/^\d+\.\d\d$/);
    const { versions } = await get<{ versions: object[] }>('/v1/policies/versions');
    expect(versions).toMatchObject([{ version: '3', state: 'SHADOW' }, { version: '2', state: 'ACTIVE' }, { version: '1' }]);
    const [row] = await world.fresh.database.query<{ by: string }>('SELECT shadowed_by AS by FROM policies WHERE version = 3');
    expect(row!.by).toBe('service@checkout-service');
  });

  it('begins one back-test however often it asks, and is told what is wrong with its question', async () => {
    const key = newKey();
    const body = { version: '3' };
    const asked = await Promise.all([1, 2, 3].map(() => post('/v1/backtests', { key, body })));
    expect(asked.map(({ status }) => status).sort()).toEqual([200, 200, 202]);
    expect(new Set(asked.map(({ body: told }) => told['id'])).size).toBe(1);
    expect(await post('/v1/backtests', { key, body: { version: '2' } })).toMatchObject({
      status: 422,
      body: { code: 'idempotency.key_reused' },
    });
    const refusals: [object, object, number, string][] = [
      [{ version: '3' }, { key: undefined }, 400, 'idempotency.key_missing'],
      [{ version: '3', document: stricter }, {}, 400, 'backtest.malformed'],
      [{ version: '77' }, {}, 404, 'policy.unknown'],
      [{ document: { id: 'x' } }, {}, 400, 'policy.malformed'],
      [{ from: '2027-01-01T00:00:00Z' }, {}, 422, 'backtest.no_history'],
    ];
    for (const [wrong, call, status, code] of refusals)
      expect(await post('/v1/backtests', { body: wrong, ...call })).toMatchObject({ status, body: { code } });
    const { id } = asked[0]!.body as unknown as BacktestAnswer;
    expect(await get(`/v1/backtests/${id}/report`)).toMatchObject({ status: 409, code: 'backtest.not_done' });
    for (let n = 0; n < 2; n++)
      expect(await post(`/v1/backtests/${id}/cancel`)).toMatchObject({ status: 200, body: { state: 'CANCELLED' } });
  });

  it('has a document judged as it is written, by line and column, and its shape published', async () => {
    const text = `{ "id": "x", "version": 1,\n  "tiers": [],\n  "colour": "red" }`;
    const linted = await post('/v1/policies/lint', { text });
    expect(linted).toMatchObject({ status: 200, body: { mayBeDrafted: false } });
    expect(linted.body['findings']).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'policy.unknown_field', pointer: '/colour', line: 3, column: 3 }),
    );
    expect((await post('/v1/policies/lint', { text: JSON.stringify(stricter) })).body).toMatchObject({ mayBeDrafted: true });
    expect(await post('/v1/policies/lint', { body: stricter })).toMatchObject({ status: 415, body: { code: 'policy.text_wanted' } });
    const schema = await world.http('GET', '/docs/policy.schema.json', { token: '' });
    expect(schema).toMatchObject({ status: 200, body: { $schema: expect.stringContaining('2020-12') as string } });
    expect(schema.body['properties']).toHaveProperty('ladder');
  });

  it('does all of it with the SDK', async () => {
    // The thread that reads policies starts with the first one: on a machine five times as slow that takes longer than a caller waits.
    const patient = { attemptMs: 30_000, deadlineMs: 60_000 };
    const client = new PolicyClient({ origin: await world.app.getUrl(), token: () => world.token(SCOPES), ...patient });
    const text = `{ "id": "x",\n  "colour": "red" }`;
    const { mayBeDrafted, findings } = await client.lint(text);
    expect(mayBeDrafted).toBe(false);
    expect(findings).toContainEqual(expect.objectContaining({ code: 'policy.unknown_field', line: 2, column: 3 }));
    expect(await client.versions()).toMatchObject([{ version: '3', state: 'SHADOW' }, { version: '2' }, { version: '1' }]);
    expect(await client.shadow('3')).toMatchObject({ version: '3', found: { decisions: {} } });
    const key = newKey();
    const { id } = await client.backtest({ version: '3' }, key);
    expect((await client.backtest({ version: '3' }, key)).id).toBe(id);
    await expect(client.backtestReport(id)).rejects.toMatchObject({ code: 'backtest.not_done' });
    expect((await client.backtests()).map((one) => one.id)).toContain(id);
    const seen: string[] = [];
    const waited = client.waitForBacktest(id, { pollMs: 20, onProgress: ({ state }) => void seen.push(state) });
    await client.cancelBacktest(id);
    expect(await waited).toMatchObject({ id, state: 'CANCELLED' });
    expect(seen.at(-1)).toBe('CANCELLED');
    await client.close();
  });

  it.runIf(existsSync(WORKER))(
    'hears one report though the worker is killed in the middle',
    async () => {
      worker = startWorker();
      const whole = await ask({ document: stricter });
      expect(await ended(whole.id)).toMatchObject({ state: 'DONE', policy: { version: '3' } });
      const { id, done, total } = await killInTheMiddle();
      expect(done).toBeGreaterThan(0);
      expect(done).toBeLessThan(total);
      const { uuid } = parseId('bkt', id);
      // It is taken up when the dead worker's lease runs out; no test waits for that.
      await world.fresh.database.query(`UPDATE backtests SET leased_until = '-infinity' WHERE backtest = $1`, [uuid]);
      worker = startWorker();
      expect(await ended(id)).toMatchObject({ state: 'DONE', progress: { done: total, total } });
      const report = async (of: string) => {
        const { found, history } = (await get<BacktestReportAnswer>(`/v1/backtests/${of}/report`)).report;
        return { found, read: history.digest };
      };
      expect(await report(id)).toEqual(await report(whole.id));
      const facts = await world.fresh.database.query<{ kind: string }>(
        `SELECT kind FROM facts WHERE kind LIKE 'backtest.%' AND body LIKE $1 ORDER BY seq`,
        [`%${uuid}%`],
      );
      expect(facts.map(({ kind }) => kind)).toEqual(['backtest.requested', 'backtest.finished']);
    },
    180_000,
  );
});

/** Once a part is saved, the next save finds its row held by us: there the worker stands when it hears SIGKILL. A job that was faster is asked again. */
async function killInTheMiddle(): Promise<{ id: string; done: number; total: number }> {
  const holder = new pg.Client({ connectionString: world.fresh.url });
  await holder.connect();
  try {
    for (;;) {
      const { id } = await ask({ document: stricter });
      const { uuid } = parseId('bkt', id);
      await until(async () => ((await stateOf(id)).progress.done > 0 ? true : undefined));
      await holder.query('BEGIN');
      await holder.query('SELECT FROM backtests WHERE backtest = $1 FOR UPDATE', [uuid]);
      const { state, progress } = await stateOf(id);
      if (state === 'RUNNING' && progress.done < progress.total) {
        const gone = new Promise((resolve) => worker!.once('exit', resolve));
        worker!.kill('SIGKILL');
        await gone;
        await holder.query('ROLLBACK');
        return { id, ...progress };
      }
      await holder.query('ROLLBACK');
    }
  } finally {
    await holder.end();
  }
}
