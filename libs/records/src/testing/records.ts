import { createHash } from 'node:crypto';
import type { CreditRecord, Performance, Rating, Violation } from '#contract';
import { createEd25519Signer, mapVerified, signJws, verifyJws, type JsonObject, type Signer, type VerificationKey } from '#evidence';
import { formatId, type ShardedId, type Verified } from '#kernel';
import { readSignedRecord, type SignedRecord } from '../record.js';

const DAY_MS = 86_400_000;
/** RFC 8037, appendix A.1: a key that everybody knows. */
const PRIVATE_JWK = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};

export const bankSigner: Signer = createEd25519Signer({ ...PRIVATE_JWK, kid: 'bank-key-1' });
export const bankKey: VerificationKey = { kid: 'bank-key-1', alg: 'EdDSA', jwk: bankSigner.publicJwk, state: 'ACTIVE' };
export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());

/** UUIDv7 number n. */
export const jtiOf = (n: number): string => `01939a6e-7a00-7abc-8def-${n.toString(16).padStart(12, '0')}`;

/** A good record to change one thing of. */
export function recordHead(iss: string, ref: ShardedId, n: number, at: Date) {
  return {
    iss,
    sub: formatId('lnk', ref),
    jti: jtiOf(n),
    seq: n,
    iat: Math.floor(at.getTime() / 1_000),
    asOf: at.toISOString(),
    validUntil: new Date(at.getTime() + 90 * DAY_MS).toISOString(),
  };
}

export const rating = (score: number): Rating => ({
  score,
  scale: { min: 350, max: 950 },
  band: 'A',
  factors: [{ code: 'LONG_HISTORY', text: 'long, clean history' }],
  model: { id: 'toy-bank-model', version: '2026.1' },
});

export const performance = (status: Performance['status'], pastDue = '0.00', profile = ''): Performance => ({
  status,
  balance: { amount: '1000.00', currency: 'CNY' },
  pastDue: { amount: pastDue, currency: 'CNY' },
  paymentProfile: profile.padEnd(24, '0'),
});

export const violation = (severity: Violation['severity'], at: Date): Violation => ({
  code: 'FRAUD_CONFIRMED',
  severity,
  evidenceDigest: 'ab'.repeat(32),
  occurredAt: at.toISOString(),
});

export function signed(record: CreditRecord, signer = bankSigner): Uint8Array {
  return new TextEncoder().encode(signJws('credit-record+jwt', record as unknown as JsonObject, signer));
}

/** Through the one door there is: signed, then verified. */
export async function verified(record: CreditRecord): Promise<Verified<SignedRecord>> {
  const read = await verifyJws(signed(record), 'credit-record+jwt', () => bankKey);
  return mapVerified(read, (json) => readSignedRecord(json, sha256));
}
