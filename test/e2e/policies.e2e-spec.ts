import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import { createLogger } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { policy } from '../world/policy-command.js';
import { type WorkerWorld, workerWorld } from '../world/worker-world.js';

let world: WorkerWorld;
let folder: string;

function write(name: string, change: object): string {
  writeFileSync(path.join(folder, name), JSON.stringify({ ...policyInput(), ...change }, undefined, 2));
  return name;
}

beforeAll(async () => {
  world = await workerWorld(undefined);
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-policies-'));
  for (const [name, value] of Object.entries(world.env)) vi.stubEnv(name, value);
  vi.stubEnv('TALLYSTICK_CWD', folder);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('an analyst', () => {
  it('is shown where a document is wrong, and cannot draft it', async () => {
    const file = write('wrong.json', { currency: 'XQQ' });
    expect(await policy('lint', file)).toBe('wrong.json:5:15: error policy.inconsistent: not an active ISO 4217 code (/currency)');
    expect(process.exitCode).toBe(1);
    // The name of a field would clear the screen and ring.
    const steered = await policy('lint', write('steering.json', { 'x\u001b[2J\u0007': 1 }));
    expect(steered).toContain('/x [2J ');
    expect(steered).not.toMatch(/[^\n\P{Control}]/u);
    process.exitCode = 0;
    await expect(policy('draft', file, '--author', 'ann')).rejects.toThrow('policy.inconsistent');
    expect(await policy('list')).toBe('');
    expect(JSON.parse(await policy('schema'))).toMatchObject({ type: 'object' });
  });

  it('drafts, another approves and activates', async () => {
    expect(await policy('lint', write('one.json', {}))).toContain('no errors');
    expect(await policy('draft', 'one.json', '--author', 'ann')).toMatch(/house 1 {2}DRAFT .*by ann\nNext/);
    await expect(policy('activate', '--version', '1', '--by', 'olga')).rejects.toThrow('policy.state');
    await expect(policy('approve', '--version', '1', '--approver', 'ann')).rejects.toThrow('policy.four_eyes');
    await expect(policy('draft', write('other.json', { timeZone: 'UTC' }), '--author', 'ann')).rejects.toThrow('policy.version_taken');
    expect(await policy('approve', '--version', '1', '--approver', 'ben')).toContain('APPROVED');
    expect(await policy('activate', '--version', '1', '--by', 'olga')).toMatch(/ACTIVE .*, set by olga$/);
    await expect(policy('retire', '--version', '1', '--by', 'Olga')).rejects.toThrow('policy.person_malformed');
    expect(JSON.parse(await policy('show'))).toMatchObject({ id: 'house', version: 1 });
    expect(JSON.parse(await policy('show', '--version', '1'))).toMatchObject({ timeZone: 'Asia/Shanghai' });
  });

  it('is told what is wrong with what was typed', async () => {
    await expect(policy('show', '--version', '7')).rejects.toThrow('policy.unknown');
    await expect(policy('show', '--version', 'x')).rejects.toThrow('policy.version_malformed');
    await expect(policy('activate', '--version', '1', '--by', 'olga', '--at', '2026-12-01')).rejects.toThrow('policy.time_malformed');
    await expect(policy('activate', '--version', '1', '--by', 'olga', '--at', '2025-12-01T00:00Z')).rejects.toThrow(
      'policy.activation_past',
    );
    await expect(policy('retire', '--version', '1', '--by', 'olga')).rejects.toThrow('policy.in_force');
    await expect(policy('draft', 'one.json', '--author', 'Ann')).rejects.toThrow('policy.person_malformed');
  });

  it('sets a time, and the worker keeps it within a second or so', async () => {
    await policy('draft', write('two.json', { version: 2 }), '--author', 'ann');
    await policy('approve', '--version', '2', '--approver', 'ben');
    const at = new Date(Date.now() + 4_000);
    const worker = await createWorker(world.config, createLogger('worker', 'silent'));
    try {
      expect(await policy('activate', '--version', '2', '--by', 'olga', '--at', at.toISOString())).toContain(
        `decides from ${at.toISOString()}`,
      );
      const policies = new PgPolicies(world.fresh.database);
      await vi.waitFor(async () => expect(await policies.findActiveVersion()).toBe(2n), { timeout: 20_000, interval: 50 });
      const { activatedAt } = (await policies.findActiveDocument())!;
      expect(activatedAt!.getTime()).toBeGreaterThanOrEqual(at.getTime());
      expect(activatedAt!.getTime() - at.getTime()).toBeLessThan(4_000);
      expect(await policy('list')).toMatch(/house 2 {2}ACTIVE[\s\S]*house 1 {2}RETIRED/);
    } finally {
      await worker.close();
    }
  });
});
