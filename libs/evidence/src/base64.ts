import { Refusal } from '#kernel';

const CHUNK_BYTES = 0x8000;

/** Standard Base 64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += CHUNK_BYTES) binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK_BYTES));
  return btoa(binary);
}

/** Reads Base 64 and accepts one spelling only: `code` (malformed) for white space, missing padding or stray trailing bits. */
export function parseBase64(text: string, code = 'base64.malformed'): Uint8Array {
  const bytes = decode(text);
  if (bytes === undefined || toBase64(bytes) !== text)
    throw new Refusal('malformed', code, 'expected canonical Base 64 (RFC 4648, section 4)');
  return bytes;
}

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Base 64 for URLs without padding (RFC 4648 §5), as in JWS. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** As `parseBase64`, for the URL alphabet without padding. */
export function parseBase64Url(text: string, code = 'base64.malformed'): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Refusal('malformed', code, 'expected Base 64 for URLs (RFC 4648, section 5)');
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  return parseBase64(standard.padEnd(Math.ceil(standard.length / 4) * 4, '='), code);
}
