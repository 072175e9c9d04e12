import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHome, OWN, readEnvironment, refuseBusyPorts, settle, writeEnvironment } from './installation.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-home-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('an installation’s folder', () => {
  it('and its environment are for the owner’s eyes only', () => {
    const home = openHome({ TALLYSTICK_HOME: path.join(folder, 'home') });
    writeEnvironment(home, { DATABASE_URL: 'postgresql://user:secret@host/db' });
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(home, 'env.json')).mode & 0o777).toBe(0o600);
    expect(readEnvironment(home)).toEqual({ DATABASE_URL: 'postgresql://user:secret@host/db' });
  });

  it('that cannot be made is refused with a way out', () => {
    writeFileSync(path.join(folder, 'file'), '');
    expect(() => openHome({ TALLYSTICK_HOME: path.join(folder, 'file', 'home') })).toThrow(/TALLYSTICK_HOME/);
  });
});

describe('settings', () => {
  it.each([
    ['a default', {}, {}, 'GATEWAY_PORT', '7443'],
    ['the last run', {}, { GATEWAY_PORT: '9443' }, 'GATEWAY_PORT', '9443'],
    ['the shell over the last run', { GATEWAY_PORT: '9000' }, { GATEWAY_PORT: '9443' }, 'GATEWAY_PORT', '9000'],
    [
      'an origin that follows the port',
      { GATEWAY_PORT: '9000' },
      { GATEWAY_ORIGIN: 'https://localhost:9443' },
      'GATEWAY_ORIGIN',
      'https://localhost:9000',
    ],
    [
      'an origin of one’s own',
      { GATEWAY_PORT: '9000', GATEWAY_ORIGIN: 'https://bank.example' },
      {},
      'GATEWAY_ORIGIN',
      'https://bank.example',
    ],
    ['no embedded URL from the last run', {}, { DATABASE_URL: 'postgres://old', [OWN.postgresFolder]: '/x' }, 'DATABASE_URL', undefined],
    ['a foreign URL from the last run', {}, { DATABASE_URL: 'postgres://theirs' }, 'DATABASE_URL', 'postgres://theirs'],
    ['no Redis when told so', { REDIS_URL: '' }, { REDIS_URL: 'redis://theirs' }, 'REDIS_URL', undefined],
  ] as [string, Record<string, string>, Record<string, string>, string, string | undefined][])(
    'take %s',
    (_what, shell, last, name, expected) => {
      expect(settle(folder, shell, last)[name]).toBe(expected);
    },
  );

  it('of a production are refused', () => {
    expect(() => settle(folder, { TALLYSTICK_ENV: 'production' })).toThrow(/development keys/);
  });
});

describe('a port', () => {
  it('that is taken is named together with its setting and a free one', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => squatter.once('listening', resolve));
    const { port } = squatter.address() as AddressInfo;
    const environment = { ...settle(folder, {}), GATEWAY_PORT: String(port) };
    await expect(refuseBusyPorts(environment)).rejects.toThrow(new RegExp(`GATEWAY_PORT ${port}[^]*GATEWAY_PORT=\\d+ `));
    squatter.close();
  });

  it('cannot be two doors’', async () => {
    const environment = { ...settle(folder, {}), CONSOLE_PORT: '41999', GATEWAY_PORT: '41998', WORKER_PORT: '41999' };
    await expect(refuseBusyPorts({ ...environment, DECISION_HTTP_PORT: '41997', DECISION_GRPC_PORT: '41996' })).rejects.toThrow(
      /both 41999/,
    );
  });
});
