import { z } from 'zod';
import { parseStrictly } from '#contract';
import { canonicalBytes, parsePublicJwk, verifyJws } from '#evidence';
import { Refusal } from '#kernel';
import { parseAddresses } from './allow-list.js';
import type { NewKey } from './change-key.js';
import { participantKeysMax } from './participant.js';

/** `typ` of the JWS by which a signing key proves that its owner holds it. */
export const KEY_PROOF_TYPE = 'key-proof+jwt';
export const csrCharsMax = 16_384;

/** What an invited organisation sends: its CSR, its public signing keys, a proof by each key, and from where it will call. */
export interface EnrolmentForm {
  readonly csr: string;
  readonly keys: readonly NewKey[];
  readonly proofs: readonly string[];
  /** Absent: stays as it is, at first from anywhere. */
  readonly addresses: readonly string[] | undefined;
}

const FORM = z.strictObject({
  csr: z.string().min(1).max(csrCharsMax),
  jwks: z.strictObject({ keys: z.array(z.unknown()).min(1).max(participantKeysMax) }),
  proofs: z.array(z.string().max(8_192)).max(participantKeysMax),
  addresses: z.unknown().optional(),
});

/** Refuses `enrolment.malformed`, `addresses.malformed` and what `parsePublicJwk` refuses. Nothing is verified yet. */
export function parseEnrolmentForm(body: unknown): EnrolmentForm {
  const { csr, jwks, proofs, addresses } = parseStrictly(FORM, body, 'enrolment.malformed');
  return { csr, keys: jwks.keys.map(parsePublicJwk), proofs, addresses: addresses === undefined ? undefined : parseAddresses(addresses) };
}

/** What is hashed to recognise the same form again. */
export function formBytes({ keys, addresses }: EnrolmentForm, csrDigest: string): Uint8Array {
  const sorted = keys.map(({ kid, alg, jwk }) => ({ kid, alg, jwk })).sort((a, b) => (a.kid < b.kid ? -1 : 1));
  return canonicalBytes({ csr: csrDigest, keys: sorted, addresses: addresses ?? null });
}

/**
 * Each key has signed a JWS (`typ` key-proof+jwt) whose payload says exactly `{ invitation, csr }`: the SHA-256 of the invitation's secret
 * and of the CSR (DER), base64url. Refuses 422 `key.unproved` and what `verifyJws` refuses.
 */
export async function verifyProofs({ keys, proofs }: EnrolmentForm, expected: { invitation: string; csr: string }): Promise<void> {
  const proved = new Set<string>();
  for (const proof of proofs) proved.add(await verifyKeyProof(proof, keys, expected));
  const missing = keys.find(({ kid }) => !proved.has(kid));
  if (missing) throw new Refusal('unprocessable', 'key.unproved', `key ${missing.kid} has signed no proof`, { field: 'proofs' });
}

/** @returns the kid of the key that signed. Refuses `key.proof_wrong` where it is none of `keys`, or the payload says anything else. */
export async function verifyKeyProof(proof: string, keys: readonly NewKey[], expected: Readonly<Record<string, string>>): Promise<string> {
  const find = (kid: string) => {
    const key = keys.find((candidate) => candidate.kid === kid);
    if (!key) throw proofWrong(`a proof names the key ${kid}: it must be made by ${keys.map((one) => one.kid).join(' or ')}`);
    return { ...key, state: 'ACTIVE' as const };
  };
  const { value } = await verifyJws(new TextEncoder().encode(proof), KEY_PROOF_TYPE, find);
  const names = Object.keys(value.payload);
  const right = names.length === Object.keys(expected).length && names.every((name) => value.payload[name] === expected[name]);
  if (right) return value.header.kid;
  throw proofWrong(`a proof must say exactly {${Object.keys(expected).join(', ')}}, with the values of this request`);
}

function proofWrong(detail: string): Refusal {
  return new Refusal('unprocessable', 'key.proof_wrong', detail, { field: 'proofs' });
}
