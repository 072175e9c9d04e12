import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, SETTINGS } from '#platform';

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

const PORT_NAMES = ['GATEWAY_PORT', 'ENROLMENT_PORT', 'DECISION_HTTP_PORT', 'DECISION_GRPC_PORT', 'CONSOLE_PORT', 'WORKER_PORT'];

describe('an installation', { timeout: 180_000 }, () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'tallystick-up-'));
  const home = path.join(scratch, 'home');
  let ports: Record<string, string>;

  const tallystick = (args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> => {
    const inherited = Object.entries(process.env).filter(([name]) => !(name in SETTINGS));
    const env = { ...Object.fromEntries(inherited), ...ports, TALLYSTICK_HOME: home, ...more };
    const child = spawn(process.execPath, ['apps/cli/bootstrap.mjs', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (output += String(chunk)));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  };
  const environment = () => JSON.parse(readFileSync(path.join(home, 'env.json'), 'utf8')) as Record<string, string>;
  const processes = () =>
    JSON.parse(readFileSync(path.join(home, 'status.json'), 'utf8')) as { name: string; pid: number; restarts: number }[];
  const asOwner = async (sql: string): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: environment()['TALLYSTICK_OWNER_URL'] });
    await client.connect();
    const { rows } = await client.query(sql);
    await client.end();
    return rows as unknown[];
  };

  beforeAll(async () => {
    ports = Object.fromEntries(await Promise.all(PORT_NAMES.map(async (name) => [name, String(await freePort())] as const)));
  });
  afterAll(async () => {
    await tallystick(['reset', '--yes']);
    rmSync(scratch, { recursive: true, force: true });
  });

  it('comes up, tells where its doors are, and is ready', async () => {
    const { code, output } = await tallystick(['up']);
    expect(output).toContain('Tallystick is running.');
    expect(code).toBe(0);
    expect(output).toContain(`https://localhost:${ports['GATEWAY_PORT']}`);
    expect(await tallystick(['status'])).toMatchObject({ code: 0 });
  });

  it('keeps its secrets to its owner', () => {
    expect(statSync(home).mode & 0o777).toBe(0o700);
    for (const file of ['env.json', 'status.json', 'supervisor.pid']) expect(statSync(path.join(home, file)).mode & 0o077).toBe(0);
  });

  it('restarts every process that is killed', async () => {
    const before = processes();
    for (const { pid } of before) process.kill(pid, 'SIGKILL');
    const all = () => processes().every(({ restarts, pid }, i) => restarts > 0 && pid && pid !== before[i]!.pid);
    for (let i = 0; i < 100 && !all(); i++) await delay(200);
    expect(processes().map(({ name }) => name)).toEqual(before.map(({ name }) => name));
    let answer = await tallystick(['status']);
    for (let i = 0; i < 40 && answer.code !== 0; i++) answer = await tallystick(['status']);
    expect(answer).toMatchObject({ code: 0 });
    expect(answer.output).toMatch(/gateway.*ready.*restarted/);
  });

  it('says that it runs already', async () => {
    const pids = processes().map(({ pid }) => pid);
    const { code, output } = await tallystick(['up']);
    expect(code).toBe(0);
    expect(output).toContain('already running');
    expect(processes().map(({ pid }) => pid)).toEqual(pids);
  });

  it('refuses a port that another program has, naming the setting', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => squatter.once('listening', resolve));
    const { port } = squatter.address() as { port: number };
    const other = path.join(scratch, 'other');
    const { code, output } = await tallystick(['up'], { TALLYSTICK_HOME: other, GATEWAY_PORT: String(port) });
    squatter.close();
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`another program listens on GATEWAY_PORT ${port}[^]*GATEWAY_PORT=\\d+`));
  });

  it('keeps its data over down and up', async () => {
    await asOwner('CREATE TABLE kept AS SELECT 1 AS one');
    expect(await tallystick(['down'])).toMatchObject({ code: 0 });
    expect(await tallystick(['status'])).toMatchObject({ code: 1 });
    expect(await tallystick(['up'])).toMatchObject({ code: 0 });
    expect(await asOwner('SELECT one FROM kept')).toEqual([{ one: 1 }]);
  });

  it('takes over what a killed supervisor left', async () => {
    process.kill(Number(readFileSync(path.join(home, 'supervisor.pid'), 'utf8')), 'SIGKILL');
    await delay(1000);
    expect(await tallystick(['up'])).toMatchObject({ code: 0 });
    expect(await asOwner('SELECT one FROM kept')).toEqual([{ one: 1 }]);
  });

  it('deletes everything, but only when told so', async () => {
    const postgres = environment()['TALLYSTICK_POSTGRES_FOLDER']!;
    expect(await tallystick(['reset'])).toMatchObject({ code: 1, output: expect.stringContaining('--yes') as string });
    expect(await tallystick(['reset', '--yes'])).toMatchObject({ code: 0 });
    expect([home, postgres].filter(existsSync)).toEqual([]);
  });
});
