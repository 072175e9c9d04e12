import { Refusal } from '#kernel';
import { parseBase64Url, toBase64Url } from '../base64.js';

/** Where there is no Buffer, tables do the same, more slowly. */
const isBrowser = typeof Buffer === 'undefined';
const ALPHABET_ONLY = /^[A-Za-z0-9_-]*$/;

/**
 * Decodes base64url (RFC 4648 §5) in its one canonical spelling: no padding, no white space, no stray low bits in the last character.
 * Refuses `signature.malformed` for any other spelling, so that one byte string has one text.
 */
export function decodeBase64Url(text: string, part: string): Uint8Array {
  if (isBrowser) return parseBase64Url(text, 'signature.malformed');
  const bytes = Buffer.from(text, 'base64url');
  // The decoder skips what it does not know and ignores spare bits: only text that encodes back to itself is canonical.
  if (!ALPHABET_ONLY.test(text) || bytes.toString('base64url') !== text) {
    throw new Refusal('malformed', 'signature.malformed', `the ${part} is not unpadded, canonical base64url`, { field: part });
  }
  return bytes;
}

export function encodeBase64Url(bytes: Uint8Array): string {
  if (isBrowser) return toBase64Url(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}
