import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { register as registerEnrol } from '../../apps/cli/src/commands/enrol.js';
import { register as registerGatewayKeys } from '../../apps/cli/src/commands/gateway-keys.js';
import { register as registerInvite } from '../../apps/cli/src/commands/invite.js';
import { register as registerIssue } from '../../apps/cli/src/commands/issue.js';
import { register as registerKeys } from '../../apps/cli/src/commands/keys.js';
import { register as registerRevoke } from '../../apps/cli/src/commands/revoke.js';
import { register as registerStaff } from '../../apps/cli/src/commands/staff.js';
import { register as registerToken } from '../../apps/cli/src/commands/token.js';
import { NodeSecrets } from '#staff/adapters/node-secrets';
import { PgStaffStore } from '#staff/adapters/pg-staff-store';
import { serialOf } from '../../certs/pki-folder.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

let world: GatewayWorld;
const file = (name: string) => path.join(world.home, name);

const REGISTERS = [
  registerEnrol,
  registerInvite,
  registerIssue,
  registerKeys,
  registerGatewayKeys,
  registerRevoke,
  registerStaff,
  registerToken,
];

/** Runs a command as the user would type it; answers what it printed. */
async function tallystick(...args: string[]): Promise<string> {
  const program = new Command('tallystick').exitOverride();
  for (const register of REGISTERS) register(program);
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await program.parseAsync(args, { from: 'user' });
    return printed.mock.calls.map(([line]) => String(line)).join('\n');
  } finally {
    printed.mockRestore();
  }
}

function makeBank(id: string): void {
  const options = ['-new', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', `/CN=${id}`];
  const san = ['-addext', `subjectAltName=URI:urn:tallystick:participant:${id}`];
  execFileSync('openssl', ['req', ...options, ...san, '-keyout', file(`${id}.key`), '-out', file(`${id}.csr`)], { stdio: 'ignore' });
  const jwk = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: `${id}-1`, alg: 'EdDSA' };
  writeFileSync(file(`${id}.jwks.json`), JSON.stringify({ keys: [jwk] }));
}

const enrol = (id: string, ...more: string[]) =>
  tallystick('enrol', '--id', id, '--name', 'Bank', '--csr', `${id}.csr`, '--jwks', `${id}.jwks.json`, '--out', `${id}.pem`, ...more);
const identity = (id: string) => ({
  ca: world.pki('server/ca.pem'),
  cert: readFileSync(file(`${id}.pem`), 'utf8'),
  key: readFileSync(file(`${id}.key`), 'utf8'),
});

/** The gateway is another process as far as these commands know: it sees their work within a second or two. */
async function becomes(id: string, status: number, url?: string): Promise<void> {
  await vi.waitFor(async () => expect((await world.call(identity(id), url)).status).toBe(status), { timeout: 10_000, interval: 200 });
}

beforeAll(async () => {
  world = await openGatewayWorld();
  for (const [name, value] of Object.entries(world.config)) if (value !== undefined) vi.stubEnv(name, String(value));
  vi.stubEnv('TALLYSTICK_CWD', world.home);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await world.close();
});
afterEach(() => vi.restoreAllMocks());

describe('an operator', () => {
  it('enrols a bank from its CSR, renews its certificate, and revokes one of the two', async () => {
    makeBank('bank-c');
    expect(await enrol('bank-c')).toMatch(/bank-c is ACTIVE[\s\S]*curl --cacert/);
    await becomes('bank-c', 200);
    const first = identity('bank-c');
    await expect(enrol('bank-c')).rejects.toThrow('participant.exists');
    expect(await tallystick('enrol', '--renew', '--id', 'bank-c', '--csr', 'bank-c.csr', '--out', 'bank-c.pem')).toContain(
      'new certificate',
    );
    await becomes('bank-c', 200);
    expect(await tallystick('revoke', '--serial', serialOf(first.cert).toUpperCase(), '--reason', 'replaced')).toContain('is revoked');
    await vi.waitFor(async () => expect((await world.call(first)).status).toBe(401), { timeout: 10_000, interval: 200 });
    await becomes('bank-c', 200);
  });

  it('lets an enrolled bank look around only, until it is activated; suspends it and lifts that', async () => {
    makeBank('bank-d');
    expect(await enrol('bank-d', '--no-activate')).toContain('bank-d is ENROLLED');
    await becomes('bank-d', 200);
    const me = await world.call(identity('bank-d'));
    expect(me.body).toMatchObject({ state: 'ENROLLED', missing: [{ code: 'activation.pending' }] });
    await world.call(identity('bank-d'), '/v1/anything').expect(403);
    await tallystick('keys', 'activate', 'bank-d');
    await becomes('bank-d', 404, '/v1/anything');
    expect(await tallystick('revoke', '--participant', 'bank-d', '--reason', 'audit')).toContain('SUSPENDED');
    await becomes('bank-d', 403);
    await tallystick('keys', 'activate', 'bank-d', '--reason', 'audit passed');
    await becomes('bank-d', 200);
  });

  it('rotates signing keys', async () => {
    makeBank('bank-e');
    await enrol('bank-e');
    const jwk = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'bank-e-2', alg: 'EdDSA' };
    writeFileSync(file('next.jwk.json'), JSON.stringify(jwk));
    await expect(tallystick('keys', 'retire', 'bank-e', 'bank-e-1')).rejects.toThrow('key.last');
    await tallystick('keys', 'add', 'bank-e', 'next.jwk.json');
    await tallystick('keys', 'retire', 'bank-e', 'bank-e-1');
    await tallystick('keys', 'compromised', 'bank-e', 'bank-e-1');
    expect(await tallystick('keys', 'list', 'bank-e')).toMatch(/bank-e-1 {2}EdDSA {2}COMPROMISED[\s\S]*bank-e-2 {2}EdDSA {2}ACTIVE/);
  });

  it('invites a bank; the invitation is alone on the screen, and issuing finds nothing before it is used', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(await tallystick('invite', 'bank-i', '--name', 'Bank I', '--ttl', '30m')).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(String(told.mock.calls)).toContain('good once');
    expect(await tallystick('keys', 'list', 'bank-i')).toContain('bank-i  Bank I  INVITED');
    expect(await tallystick('issue')).toBe('0 requests decided');
    await expect(tallystick('invite', 'bank-j')).rejects.toThrow('invitation.name');
    await expect(tallystick('invite', 'bank-i', '--ttl', 'soon')).rejects.toThrow('invitation.ttl');
  });

  it('changes the gateway’s own key only when every partner has proved it', async () => {
    expect(await tallystick('gateway-keys', 'announce', 'receipt')).toContain('is announced');
    expect(await tallystick('gateway-keys', 'status')).toMatch(/receipt {2}\S+ {2}ANNOUNCED, not yet proved by bank-a, bank-b/);
    await expect(tallystick('gateway-keys', 'switch', 'receipt')).rejects.toThrow('gateway_key.unproved');
    expect(await tallystick('gateway-keys', 'switch', 'receipt', '--force')).toContain('is the receipt key now');
    await expect(tallystick('gateway-keys', 'announce', 'log')).rejects.toThrow('gateway_key.use');
  });

  it('is told what is wrong', async () => {
    await expect(tallystick('revoke', '--serial', 'ff', '--reason', 'x')).rejects.toThrow('certificate.unknown');
    await expect(tallystick('revoke', '--reason', 'x')).rejects.toThrow('revoke.what');
    await expect(enrol('Bank X')).rejects.toThrow('participant.id_malformed');
  });

  it('makes an account of the console and gives it another password, each alone on the screen', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const store = new PgStaffStore(world.fresh.database);
    const opens = async (password: string) =>
      await new NodeSecrets().matchesPassword(password, (await store.findAccount('ines'))?.passwordHash);
    const first = await tallystick('staff', 'add', 'ines', '--role', 'compliance');
    expect([(await store.findAccount('ines'))?.role, await opens(first)]).toEqual(['compliance', true]);
    const second = await tallystick('staff', 'password', 'ines');
    expect([await opens(first), await opens(second)]).toEqual([false, true]);
    expect(told.mock.calls.flat().join()).not.toMatch(new RegExp(`${first}|${second}`));
    await expect(tallystick('staff', 'add', 'ines', '--role', 'risk')).rejects.toThrow('staff.name_taken');
    await expect(tallystick('staff', 'add', 'otto', '--role', 'king')).rejects.toThrow('staff.role_unknown');
    await expect(tallystick('staff', 'password', 'otto')).rejects.toThrow('staff.unknown');
  });

  it('disables an account of the console and enables it again, each a fact; says so when nobody of a role is left', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const facts = () =>
      world.fresh.database.query<{ kind: string }>(`SELECT kind FROM facts WHERE kind LIKE 'staff.account_%abled' ORDER BY at`);
    await tallystick('staff', 'add', 'ruth', '--role', 'risk');
    expect(await tallystick('staff', 'disable', 'ruth')).toBe('ruth is disabled; open sessions ended.');
    expect(String(told.mock.lastCall)).toContain('Nobody is left whose role is risk');
    expect(await tallystick('staff', 'disable', 'ruth')).toBe('ruth was disabled already.');
    await tallystick('staff', 'password', 'ruth');
    expect(String(told.mock.lastCall)).toContain('tallystick staff enable ruth');
    expect(await tallystick('staff', 'list')).toContain('ruth  risk  DISABLED  0 open sessions, never signed in');
    expect(await tallystick('staff', 'enable', 'ruth')).toContain('ruth may sign in again');
    const listed = (await tallystick('staff', 'list', '--json'))
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; state: string });
    expect(listed.find(({ name }) => name === 'ruth')).toMatchObject({ state: 'ACTIVE', openSessions: 0, lastSignedInAt: null });
    expect((await facts()).map(({ kind }) => kind)).toEqual(['staff.account_disabled', 'staff.account_enabled']);
    await expect(tallystick('staff', 'disable', 'otto')).rejects.toThrow('staff.unknown');
  });

  it('mints a token for a development caller, and nothing longer than fifteen minutes', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const token = decodeJwt(await tallystick('token', '--caller', 'checkout', '--scope', 'decisions:evaluate', '--minutes', '5'));
    expect(token).toMatchObject({ sub: 'checkout', aud: 'tallystick-decision-api', scope: 'decisions:evaluate' });
    expect(token.exp! - token.iat!).toBe(300);
    await expect(tallystick('token', '--caller', 'x', '--scope', 'y', '--minutes', '16')).rejects.toThrow('token.minutes');
    vi.stubEnv('TALLYSTICK_ENV', 'production');
    vi.stubEnv('INTERNAL_TOKEN_ISSUER', 'https://issuer.example');
    vi.stubEnv('CONSOLE_ORIGIN', 'https://console.example');
    await expect(tallystick('token', '--caller', 'x', '--scope', 'y')).rejects.toThrow(/production/);
    vi.stubEnv('TALLYSTICK_ENV', 'test');
  });
});
