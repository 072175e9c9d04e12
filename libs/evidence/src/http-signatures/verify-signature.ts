import { Refusal } from '#kernel';
import { utf8 } from '../bytes.js';
import type { VerificationKey } from '../jose/keys.js';
import { usableKey } from '../jose/usable-key.js';
import { HTTP_ALGORITHM_NAMES } from './algorithm-names.js';
import type { HttpMessage } from './http-message.js';
import { type HttpSignature, readHttpSignature, type SignatureProfile } from './profile.js';

/** A signature may have been made this long before it arrives, and this far ahead of our clock. */
export const signatureAgeSecondsMax = 60;
export const clockAheadSecondsMax = 10;

/** How a signature is checked: `checkWithNode`, `checkAside` or `checkWithWeb`. Undefined where the key is unfit for its algorithm. */
export type CheckSignature = (
  key: VerificationKey,
  bytes: Uint8Array,
  signature: Uint8Array,
) => boolean | undefined | Promise<boolean | undefined>;

export interface Verification {
  readonly findKey: (keyid: string) => VerificationKey | undefined;
  readonly check: CheckSignature;
  /** When the headers arrived. Undefined where age does not count: an answer that covers our own fresh request is not old. */
  readonly at?: Date;
}

/**
 * Verifies the signature of this profile over a message's headers (RFC 9421 §3.2). The body is covered by its digest alone: compare that
 * with `checkContentDigest` before anything of the body is used. Refuses what `readHttpSignature` refuses, and 401 `signature.expired`,
 * `signature.key_unknown`, `.key_retired`, `.key_compromised`, `signature.algorithm_refused`, `signature.invalid`.
 */
export async function verifyHttpSignature(
  message: HttpMessage,
  profile: SignatureProfile,
  { findKey, check, at }: Verification,
): Promise<HttpSignature> {
  const signature = readHttpSignature(message, profile);
  if (at) checkAge(signature, at);
  const keyid = signature.keyid ?? '';
  const key = usableKey(keyid, findKey(keyid));
  checkAlgorithm(signature.alg, key);
  const verdict = await check(key, utf8.encode(signature.base), signature.bytes);
  if (verdict === undefined) throw algorithmRefused(`key ${keyid} is too weak or not for signatures`);
  if (!verdict) {
    throw new Refusal(
      'unauthenticated',
      'signature.invalid',
      `the signature does not verify under key ${keyid}: compare the signature base, POST /v1/security/echo shows ours`,
      { field: 'signature' },
    );
  }
  return signature;
}

function checkAge({ created, expires }: HttpSignature, at: Date): void {
  const nowSeconds = Math.floor(at.getTime() / 1000);
  const age = nowSeconds - (created ?? 0);
  const over = expires !== undefined && expires < nowSeconds;
  if (age <= signatureAgeSecondsMax && age >= -clockAheadSecondsMax && !over) return;
  throw new Refusal('unauthenticated', 'signature.expired', 'created must be now: compare your clock with serverTime, sign again', {
    field: 'created',
    limit: `signatureAgeSecondsMax=${signatureAgeSecondsMax}, clockAheadSecondsMax=${clockAheadSecondsMax}`,
    extra: { serverTime: at.toISOString() },
  });
}

/** The algorithm is the registered key's; a message that names one must name that (RFC 9421 §3.2, step 6). */
function checkAlgorithm(named: string | undefined, key: VerificationKey): void {
  const expected = HTTP_ALGORITHM_NAMES[key.alg];
  if (named !== undefined && named !== expected) throw algorithmRefused(`key ${key.kid} is for ${expected}`);
}

function algorithmRefused(detail: string): Refusal {
  return new Refusal('unauthenticated', 'signature.algorithm_refused', detail, { field: 'alg' });
}
