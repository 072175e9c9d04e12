import 'reflect-metadata';
import { createHash, createPublicKey } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { Refusal } from '#kernel';
import { type Authority, DAY_MS, issue } from './authority.js';

const certificateDaysMax = 397;
const RSA_BITS_MIN = 2048;
const STRONG_HASHES = ['SHA-256', 'SHA-384', 'SHA-512'];
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export function participantUri(id: string): string {
  return `urn:tallystick:participant:${id}`;
}

/**
 * Judges a partner's CSR without issuing anything, and answers the SHA-256 of its DER, base64url. What it asks for must be what we would
 * give: one SAN URI that names this participant, clientAuth, no authority. Refuses `csr.malformed`, `csr.signature` (no proof of
 * possession), `csr.key_unsuitable`, `csr.identity`, `csr.usage`.
 */
export async function digestCsr(csrPem: string, participant: string): Promise<string> {
  const csr = await readCsr(csrPem, participant);
  return createHash('sha256').update(Buffer.from(csr.rawData)).digest('base64url');
}

/** Issues a partner's client certificate for its CSR: only the public key is taken from it. Refuses as `digestCsr`, and `csr.days`. */
export async function issueForCsr(authority: Authority, csrPem: string, participant: string, now: Date, days = 90): Promise<string> {
  if (!(days >= 1 && days <= certificateDaysMax)) {
    throw refuse('csr.days', `a certificate is for 1 to ${certificateDaysMax} days`);
  }
  const csr = await readCsr(csrPem, participant);
  return issue(authority, {
    publicKey: csr.publicKey.toString('pem'),
    commonName: participant,
    names: [{ type: 'url', value: participantUri(participant) }],
    usage: 'client',
    // A partner's clock may be behind ours.
    notBefore: new Date(now.getTime() - 300_000),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  });
}

/** Its parts are decoded when they are looked at, and the library says in many ways that it cannot: each of them is the sender's fault. */
async function readCsr(pem: string, participant: string): Promise<x509.Pkcs10CertificateRequest> {
  try {
    return await judge(new x509.Pkcs10CertificateRequest(pem), participant);
  } catch (error) {
    throw error instanceof Refusal ? error : refuse('csr.malformed', 'not a PKCS#10 request in PEM');
  }
}

async function judge(csr: x509.Pkcs10CertificateRequest, participant: string): Promise<x509.Pkcs10CertificateRequest> {
  checkKey(csr);
  const { hash } = csr.signatureAlgorithm as { hash?: { name: string } };
  if (hash && !STRONG_HASHES.includes(hash.name)) throw refuse('csr.signature', 'sign the CSR with SHA-256 or stronger');
  if (!(await csr.verify().catch(() => false))) throw refuse('csr.signature', 'the CSR is not signed by its own key');
  checkWishes(csr, participantUri(participant));
  return csr;
}

function checkKey(csr: x509.Pkcs10CertificateRequest): void {
  const key = createPublicKey(csr.publicKey.toString('pem'));
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  const good =
    key.asymmetricKeyType === 'ed25519' ||
    (key.asymmetricKeyType === 'rsa' && modulusLength >= RSA_BITS_MIN) ||
    (key.asymmetricKeyType === 'ec' && (namedCurve === 'prime256v1' || namedCurve === 'secp384r1'));
  if (!good) throw refuse('csr.key_unsuitable', 'the key must be RSA of 2048 bits or more, P-256, P-384 or Ed25519');
}

function checkWishes(csr: x509.Pkcs10CertificateRequest, uri: string): void {
  for (const wish of csr.extensions) {
    if (wish instanceof x509.SubjectAlternativeNameExtension) {
      const [name, ...more] = wish.names.items;
      if (name?.type !== 'url' || name.value !== uri || more.length > 0) {
        throw refuse('csr.identity', `the CSR must name URI:${uri} as its only subjectAltName, or none`);
      }
    }
    const authority = wish instanceof x509.BasicConstraintsExtension && wish.ca;
    const otherUsage = wish instanceof x509.ExtendedKeyUsageExtension && wish.usages.some((usage) => usage !== CLIENT_AUTH);
    if (authority || otherUsage) throw refuse('csr.usage', 'we issue for client authentication only');
  }
}

function refuse(code: string, detail: string): Refusal {
  return new Refusal('unprocessable', code, detail);
}
