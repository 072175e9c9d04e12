import { generateKeyPairSync, type KeyPairKeyObjectResult, randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Authority, DAY_MS, issue, type Leaf, makeEcAuthority, publicPem } from './authority.js';
import { participantUri } from './issue.js';
import { PkiFolder, serialOf } from './pki-folder.js';
import { issueRsaClient, makePkcs12, makeRsaAuthority, makeRsaCsr, newRsaKey } from './rsa-authority.js';

/** The development authorities: elliptic curves for bank-a and whoever enrols by the CLI, RSA for bank-b, and one that nobody accepts. */
export const EC_AUTHORITY = 'development-ec';
export const RSA_AUTHORITY = 'development-rsa';
const AUTHORITY_LIFE_MS = 3650 * DAY_MS;
const LEAF_LIFE_MS = 90 * DAY_MS;

/**
 * Makes or renews a throw-away PKI for one machine: what is good stays, what expires within seven days is made anew, CRLs older than twelve
 * hours too. Clients: `bank-a` (EC), `bank-b` (RSA, with a .p12), and four that must be refused, each naming bank-a: `expired`, `revoked`,
 * `stranger` (an authority nobody accepts) and `impostor` (bank-b's authority).
 */
export async function ensureDevelopmentPki(folder: string, now: Date): Promise<void> {
  const pki = new PkiFolder(folder, now);
  const [from, to] = [at(now, -30 * DAY_MS), at(now, AUTHORITY_LIFE_MS)];
  const server = await pki.authority('server', 'issuing', () => makeEcAuthority('Tallystick development server', from, to));
  const ec = await pki.authority(EC_AUTHORITY, 'partners', () => makeEcAuthority('Tallystick development partners EC', from, to));
  const rsa = await pki.authority(RSA_AUTHORITY, 'partners', () => makeRsaAuthority('Tallystick development partners RSA', from, to));
  const stranger = await pki.authority('stranger', 'issuing', () => makeEcAuthority('Somebody else', from, to));

  await keepServer(pki, server);
  await keepClient(pki, 'bank-a', ec, 'bank-a');
  keepRsaBank(pki, rsa);
  await keepClient(pki, 'expired', ec, 'bank-a', { notBefore: at(now, -2 * DAY_MS), notAfter: at(now, -DAY_MS) });
  await keepClient(pki, 'stranger', stranger, 'bank-a');
  await keepClient(pki, 'impostor', rsa, 'bank-a');
  await keepClient(pki, 'revoked', ec, 'bank-a');
  keepSigningKey(pki, 'bank-a', 'EdDSA', () => generateKeyPairSync('ed25519'));
  keepSigningKey(pki, 'bank-b', 'ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));

  await pki.keepCrlFresh(EC_AUTHORITY, ec);
  await pki.keepCrlFresh(RSA_AUTHORITY, rsa);
  await pki.revoke(EC_AUTHORITY, ec, serialOf(pki.read('clients/revoked/cert.pem')!));
}

/** Puts a serial on the CRL of a development authority that is in the folder. False where the folder has no key of an authority that issued it. */
export async function revokeInDevelopment(folder: string, authority: string, serial: string, now: Date): Promise<boolean> {
  const issuer = readDevelopmentAuthority(folder, authority);
  if (!issuer) return false;
  await new PkiFolder(folder, now).revoke(authority, issuer, serial);
  return true;
}

export function readDevelopmentAuthority(folder: string, name = EC_AUTHORITY): Authority | undefined {
  const pki = new PkiFolder(folder, new Date(0));
  const [certificate, key] = [pki.read(`partners/${name}.ca.pem`), pki.read(`issuing/${name}.key.pem`)];
  return certificate && key ? { certificate, key } : undefined;
}

async function keepServer(pki: PkiFolder, authority: Authority): Promise<void> {
  if (pki.holds('server', authority)) return;
  const names = [
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
  ] as const;
  await writeEcLeaf(pki, 'server', authority, { ...life(pki.now), commonName: 'localhost', names, usage: 'server' });
  pki.write('server/ca.pem', authority.certificate);
}

async function keepClient(pki: PkiFolder, name: string, authority: Authority, participant: string, dates?: Dates): Promise<void> {
  if (pki.holds(`clients/${name}`, authority, dates !== undefined)) return;
  const names = [{ type: 'url', value: participantUri(participant) }] as const;
  await writeEcLeaf(pki, `clients/${name}`, authority, { ...(dates ?? life(pki.now)), commonName: participant, names, usage: 'client' });
}

async function writeEcLeaf(pki: PkiFolder, place: string, authority: Authority, leaf: Omit<Leaf, 'publicKey'>): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const certificate = await issue(authority, { ...leaf, publicKey: publicPem(key) });
  pki.write(`${place}/key.pem`, key);
  pki.write(`${place}/cert.pem`, certificate);
}

/** The whole way of an RSA partner: key, CSR, certificate, PKCS#12. */
function keepRsaBank(pki: PkiFolder, authority: Authority): void {
  if (pki.holds('clients/bank-b', authority)) return;
  const key = newRsaKey();
  const csr = makeRsaCsr(key, 'bank-b', participantUri('bank-b'));
  const { notBefore, notAfter } = life(pki.now);
  const certificate = issueRsaClient(authority, csr, participantUri('bank-b'), notBefore, notAfter);
  const password = randomBytes(16).toString('base64url');
  pki.write('clients/bank-b/key.pem', key);
  pki.write('clients/bank-b/csr.pem', csr);
  pki.write('clients/bank-b/cert.pem', certificate);
  pki.write('clients/bank-b/bank-b.p12', makePkcs12(key, [certificate, authority.certificate], password));
  pki.write('clients/bank-b/bank-b.p12.password', password);
}

/**
 * What a bank signs its records with; transport and signing keys are separate (CONTRACT.md §1). The public half is `jwks.json`, and
 * `signing-key.pem` is the same private key for openssl.
 */
function keepSigningKey(pki: PkiFolder, bank: string, alg: string, make: () => KeyPairKeyObjectResult): void {
  const place = `clients/${bank}`;
  if (['signing-key.jwk.json', 'signing-key.pem', 'jwks.json'].every((name) => pki.read(`${place}/${name}`))) return;
  const { privateKey, publicKey } = make();
  const about = { kid: `${bank}-${randomBytes(4).toString('hex')}`, alg, use: 'sig' };
  pki.write(`${place}/signing-key.jwk.json`, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...about }, null, 2));
  pki.write(`${place}/signing-key.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  pki.write(`${place}/jwks.json`, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...about }] }, null, 2));
}

interface Dates {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

function life(now: Date): Dates {
  return { notBefore: at(now, -300_000), notAfter: at(now, LEAF_LIFE_MS) };
}

function at(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}

/** Alone: `node dist/certs/make-dev-pki.js <folder>`. */
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folder = path.resolve(process.argv[2] ?? '.tallystick/pki');
  await ensureDevelopmentPki(folder, new Date());
  console.log(`development certificates are in ${folder}`);
}
