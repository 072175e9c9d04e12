import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import type { BacktestReport, ShadowStanding } from '#decisions';
import { activate, live, SMALL_LIMITS } from '#decisions/testing/lived-history';
import { addSubjects } from '#decisions/testing/subjects';
import type { ShardedId } from '#kernel';
import { createLogger } from '#platform';
import { policyInput } from '#policies/testing/house-policy';
import { policy } from '../world/policy-command.js';
import { type WorkerWorld, workerWorld } from '../world/worker-world.js';

const POLL = { timeout: 40_000, interval: 100 };

let world: WorkerWorld;
let folder: string;
let subjects: ShardedId[];
let worker: Awaited<ReturnType<typeof createWorker>>;

const shadowReport = async () => JSON.parse(await policy('shadow-report', '--version', '2', '--json')) as ShadowStanding;

beforeAll(async () => {
  world = await workerWorld(undefined);
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-history-'));
  for (const [name, value] of Object.entries(world.env)) vi.stubEnv(name, value);
  vi.stubEnv('TALLYSTICK_CWD', folder);
  const stricter = [{ ...SMALL_LIMITS![0]!, amount: '150.00' }, ...SMALL_LIMITS!.slice(1)];
  writeFileSync(path.join(folder, 'two.json'), JSON.stringify(policyInput({ version: 2, limits: stricter })));
  await activate(world.fresh.database, 1);
  subjects = await addSubjects(world.fresh.database, 20);
  await live(world.fresh.database, subjects, 150, 'first');
  worker = await createWorker(world.config, createLogger('worker', 'silent'));
});
afterAll(async () => {
  await worker?.close();
  vi.unstubAllEnvs();
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a risk analyst', () => {
  let differing: number;

  it('tries a draft in shadow and sees within seconds what it would change', async () => {
    await policy('draft', 'two.json', '--author', 'rita');
    expect(await policy('shadow', '--version', '2', '--by', 'olga')).toMatch(/house 2 {2}SHADOW since .*\nSee what/);
    expect(await policy('shadow-report', '--version', '2')).toContain('No decision was made since.');
    await live(world.fresh.database, subjects, 120, 'second');
    await vi.waitFor(async () => expect((await shadowReport()).behind).toBe('0'), POLL);
    const { decided } = await shadowReport();
    differing = decided.differing.outcome;
    expect(differing).toBeGreaterThan(0);
    const told = await policy('shadow-report', '--version', '2');
    expect(told).toMatch(/Was \\ would be +ALLOW +REVIEW +DENY/);
    expect(told).toContain('limit.exceeded (limit all-day)');
    expect(told).toContain('Examples, the largest of each change');
  });

  it('back-tests the draft over everything that was recorded', async () => {
    const report = JSON.parse(await policy('backtest', 'two.json', '--json')) as BacktestReport;
    expect(report.policy).toMatchObject({ id: 'house', version: '2' });
    expect(report.found.differing.outcome).toBeGreaterThan(differing);
    const told = await policy('backtest', '2', '--assume', 'expired', '--from', '2026-01-01T00:00:00Z', '--begin', 'counted');
    expect(told).toMatch(/^Back-test of house 2 \(sha256 [0-9a-f]{16}\)/);
    expect(told).toContain('held for the time that was asked, then as free again');
    const id = /bkt_\w+/.exec(told)![0];
    expect(await policy('backtest-report', id)).toBe(told);
    expect(await policy('backtests')).toContain(`${id}  DONE`);
    await expect(policy('backtest-cancel', id)).rejects.toThrow('backtest.ended');
  });

  it('checks the ledger: decided again by what decided it, nothing differs', async () => {
    const { found } = JSON.parse(await policy('backtest', 'recorded', '--here', '--json')) as BacktestReport;
    expect(found.decisions.count).toBeGreaterThan(200);
    expect(found.differing).toEqual({ outcome: 0, computed: 0, discount: 0, reasons: 0, counters: 0 });
  });

  it('has it approved by another and activated; the shadow ends with its last decision', async () => {
    await expect(policy('approve', '--version', '2', '--approver', 'rita')).rejects.toThrow('policy.four_eyes');
    await policy('approve', '--version', '2', '--approver', 'carl');
    const compared = (await shadowReport()).decided.decisions.count;
    expect(await policy('activate', '--version', '2', '--by', 'olga')).toContain('ACTIVE');
    await live(world.fresh.database, subjects, 60, 'third');
    const since = (await world.fresh.database.query<{ at: Date }>(`SELECT activated_at AS at FROM policies WHERE version = 2`))[0]!.at;
    expect((await shadowReport()).decided.decisions.count).toBe(compared);
    const { found } = JSON.parse(await policy('backtest', '2', '--from', since.toISOString(), '--json')) as BacktestReport;
    expect(found.differing).toEqual({ outcome: 0, computed: 0, discount: 0, reasons: 0, counters: 0 });
    const kinds = await world.fresh.database.query<{ kind: string }>(
      `SELECT DISTINCT kind FROM facts WHERE kind ~ '^(policy|backtest)\\.' ORDER BY kind`,
    );
    expect(kinds.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['backtest.finished', 'backtest.requested', 'policy.shadowed']));
  });

  it('is told what is wrong with what was typed', async () => {
    await expect(policy('shadow', '--version', '2', '--by', 'olga')).rejects.toThrow('policy.state');
    await expect(policy('backtest', '99')).rejects.toThrow('policy.unknown');
    await expect(policy('backtest', '2', '--assume', 'nothing')).rejects.toThrow('backtest.option_malformed');
    await expect(policy('backtest', '2', '--from', '2027-01-01T00:00:00Z')).rejects.toThrow('backtest.no_history');
    await expect(policy('backtest-report', 'bkt_1')).rejects.toThrow('id.malformed');
  });
});
