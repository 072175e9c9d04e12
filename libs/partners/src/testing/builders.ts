import type { Enrolment } from '../enrol-participant.js';
import type { IssuedCertificate } from '../register-certificate.js';

export const AT = new Date('2026-11-21T08:00:00.000Z');

export function aCertificate(change: Partial<IssuedCertificate> = {}): IssuedCertificate {
  const notAfter = new Date('2027-11-21T08:00:00.000Z');
  return { x5t: 'x5t-1', issuer: 'authority-1', serial: 'a1', notBefore: AT, notAfter, ...change };
}

/** A real public key (RFC 8037 appendix A.2). */
export const aKey = {
  kid: 'key-1',
  alg: 'EdDSA',
  jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
} as const;

/** A key of another name and other bytes. */
export function anotherKey(kid: string) {
  return { ...aKey, kid, jwk: { ...aKey.jwk, x: Buffer.from(kid.padEnd(32, '.')).toString('base64url') } };
}

export function anEnrolment(change: Partial<Enrolment> = {}): Enrolment {
  return { id: 'bank-a', name: 'Bank A', certificate: aCertificate(), keys: [aKey], ...change };
}
