import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../certs/authority.js';
import { issueForCsr } from '../../certs/issue.js';
import {
  EC_AUTHORITY,
  ensureDevelopmentPki,
  readDevelopmentAuthority,
  revokeInDevelopment,
  RSA_AUTHORITY,
} from '../../certs/make-dev-pki.js';
import { newRsaKey, makeRsaCsr } from '../../certs/rsa-authority.js';

const NOW = new Date();
let folder: string;
const file = (name: string) => path.join(folder, name);
const read = (name: string) => readFileSync(file(name), 'utf8');
const openssl = (...args: string[]) => {
  try {
    return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    return `FAILED ${(error as { stderr: string }).stderr}`;
  }
};
const verify = (client: string, authority: string) =>
  openssl(
    ...['verify', '-purpose', 'sslclient', '-crl_check', '-CAfile', `partners/${authority}.ca.pem`],
    ...['-CRLfile', `partners/${authority}.crl.pem`, `clients/${client}/cert.pem`],
  );

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'pki-'));
  await ensureDevelopmentPki(folder, NOW);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('the development PKI, as OpenSSL sees it', () => {
  it.each([
    ['bank-a', EC_AUTHORITY, /OK/],
    ['bank-b', RSA_AUTHORITY, /OK/],
    ['impostor', RSA_AUTHORITY, /OK/],
    ['revoked', EC_AUTHORITY, /certificate revoked/],
    ['expired', EC_AUTHORITY, /certificate has expired/],
    ['stranger', EC_AUTHORITY, /unable to get local issuer/],
  ])('%s under %s: %s', (client, authority, answer) => {
    expect(verify(client, authority)).toMatch(answer);
  });

  it('has a PKCS#12 file that its password opens', () => {
    const opened = openssl(
      'pkcs12',
      '-in',
      'clients/bank-b/bank-b.p12',
      '-passin',
      'file:clients/bank-b/bank-b.p12.password',
      '-nodes',
      '-nokeys',
    );
    expect(opened).toContain('BEGIN CERTIFICATE');
  });

  it('lets nobody else read a file', () => {
    const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(all.length).toBeGreaterThan(20);
    for (const entry of all) expect(statSync(path.join(entry.parentPath, entry.name)).mode & 0o777).toBe(0o600);
  });
});

describe('made again', () => {
  const names = () =>
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => statSync(file(name)).isFile());
  const contents = () => Object.fromEntries(names().map((name) => [name, read(name)]));

  it('changes nothing the same hour', async () => {
    const before = contents();
    await ensureDevelopmentPki(folder, new Date(NOW.getTime() + 3_600_000));
    expect(contents()).toEqual(before);
  });

  it('renews the CRLs after twelve hours, the revoked still on them, and nothing else', async () => {
    const before = contents();
    await ensureDevelopmentPki(folder, new Date(NOW.getTime() + 13 * 3_600_000));
    const after = contents();
    const moved = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(moved.map((name) => path.basename(name).replace(/^.*\.crl/, 'crl')).sort()).toEqual([
      'crl.json',
      'crl.json',
      'crl.pem',
      'crl.pem',
    ]);
    expect(verify('revoked', EC_AUTHORITY)).toMatch(/not yet valid|revoked/);
  });

  it('renews leaves within seven days of their end, under the same authorities', async () => {
    const authority = read(`partners/${EC_AUTHORITY}.ca.pem`);
    const before = new X509Certificate(read('clients/bank-a/cert.pem'));
    await ensureDevelopmentPki(folder, new Date(NOW.getTime() + 84 * DAY_MS));
    const after = new X509Certificate(read('clients/bank-a/cert.pem'));
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(new Date(after.validTo).getTime()).toBeGreaterThan(NOW.getTime() + 170 * DAY_MS);
    expect(read(`partners/${EC_AUTHORITY}.ca.pem`)).toBe(authority);
  });
});

describe('a partner’s CSR', () => {
  const authority = () => readDevelopmentAuthority(folder)!;
  const request = (...args: string[]) => {
    const csr = openssl('req', '-new', '-nodes', '-keyout', 'new.key', '-subj', '/CN=Bank C', ...args);
    expect(csr).toContain('BEGIN CERTIFICATE REQUEST');
    return csr;
  };
  const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const san = (value: string) => ['-addext', `subjectAltName=${value}`];
  const URI = 'URI:urn:tallystick:participant:bank-c';

  it.each([
    ['EC', () => request(...EC, ...san(URI))],
    ['RSA', () => request('-newkey', 'rsa:2048')],
    ['Ed25519', () => request('-newkey', 'ed25519', ...san(URI))],
    ['RSA by node-forge', () => makeRsaCsr(newRsaKey(2048), 'bank-c', 'urn:tallystick:participant:bank-c')],
  ])('is issued for a client and one identity: %s', async (_kind, make) => {
    const issued = new X509Certificate(await issueForCsr(authority(), make(), 'bank-c', NOW));
    expect(issued.subjectAltName).toBe(URI);
    expect(issued.subject).toBe('CN=bank-c');
    expect(issued.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(issued.ca).toBe(false);
    expect(issued.verify(new X509Certificate(authority().certificate).publicKey)).toBe(true);
  });

  it.each([
    ['csr.identity', 'another participant', () => request(...EC, ...san('URI:urn:tallystick:participant:bank-a'))],
    ['csr.identity', 'two names', () => request(...EC, ...san(`${URI},DNS:bank-c.example`))],
    ['csr.usage', 'to be an authority', () => request(...EC, '-addext', 'basicConstraints=critical,CA:TRUE')],
    ['csr.usage', 'to serve', () => request(...EC, '-addext', 'extendedKeyUsage=serverAuth,clientAuth')],
    ['csr.key_unsuitable', 'RSA of 1024 bits', () => makeRsaCsr(newRsaKey(1024), 'bank-c', 'urn:tallystick:participant:bank-c')],
    ['csr.key_unsuitable', 'another curve', () => request('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1')],
    ['csr.malformed', 'something else', () => 'hello'],
    ['csr.signature', 'a changed CSR', () => tampered(request(...EC))],
  ])('is refused as %s: %s', async (code, _what, make) => {
    await expect(issueForCsr(authority(), make(), 'bank-c', NOW)).rejects.toThrow(code);
  });

  it('can be revoked through the development CRL', async () => {
    const issued = new X509Certificate(await issueForCsr(authority(), request(...EC), 'bank-c', NOW));
    expect(await revokeInDevelopment(folder, EC_AUTHORITY, issued.serialNumber.toLowerCase(), NOW)).toBe(true);
    expect(openssl('crl', '-in', `partners/${EC_AUTHORITY}.crl.pem`, '-noout', '-text')).toContain(issued.serialNumber);
  });
});

/** The last bytes of a CSR are its signature. */
function tampered(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  der[der.length - 3]! ^= 1;
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}
