import { Refusal } from '#kernel';
import { sameBytes } from '../bytes.js';
import { isInnerList, parseDictionary } from './structured-fields.js';
import { toBase64 } from '../base64.js';

/** The digest algorithms that may protect a body (RFC 9530 §5); md5, sha and the checksums may not. */
const DIGEST_BYTES = { 'sha-256': 32, 'sha-512': 64 } as const;
export type DigestAlgorithm = keyof typeof DIGEST_BYTES;
export type ContentDigest = ReadonlyMap<DigestAlgorithm, Uint8Array>;

const FIELD = 'content-digest';

/**
 * What a Content-Digest field (RFC 9530 §2) says of the body; algorithms that we do not know are passed over, as the RFC wants.
 * Refuses 400 `signature.malformed`, and 401 `digest.mismatch` where nothing in it is sha-256 or sha-512: such a body is not protected.
 */
export function parseContentDigest(text: string): ContentDigest {
  const known = new Map<DigestAlgorithm, Uint8Array>();
  for (const [name, member] of parseDictionary(text, FIELD)) {
    if (!isDigestAlgorithm(name)) continue;
    const value = isInnerList(member) ? undefined : member.value;
    if (!(value instanceof Uint8Array) || value.length !== DIGEST_BYTES[name]) {
      throw new Refusal('malformed', 'signature.malformed', `${name} must be ${DIGEST_BYTES[name]} bytes between colons`, { field: FIELD });
    }
    known.set(name, value);
  }
  if (known.size === 0) throw new Refusal('unauthenticated', 'digest.mismatch', 'use sha-256 or sha-512', { field: FIELD });
  return known;
}

/** Compares what the field says with the digests of the bytes received, all of them. Refuses 401 `digest.mismatch`. */
export function checkContentDigest(said: ContentDigest, computed: ContentDigest): void {
  for (const [algorithm, digest] of said) {
    const received = computed.get(algorithm);
    if (!received || !sameBytes(digest, received)) {
      throw new Refusal('unauthenticated', 'digest.mismatch', `the body received does not have this ${algorithm} digest`, { field: FIELD });
    }
  }
}

export function formatContentDigest(digest: ContentDigest): string {
  return [...digest].map(([algorithm, bytes]) => `${algorithm}=:${toBase64(bytes)}:`).join(', ');
}

function isDigestAlgorithm(name: string): name is DigestAlgorithm {
  return Object.hasOwn(DIGEST_BYTES, name);
}
