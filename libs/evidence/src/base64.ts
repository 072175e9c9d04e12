import { Refusal } from '#kernel';

/** Every request and answer carries a few: both ways go over tables, in plain JavaScript, because this half also runs in a browser. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Two characters for each 12 bits. */
const PAIRS: readonly string[] = Array.from({ length: 4096 }, (_, bits) => ALPHABET[bits >> 6]! + ALPHABET[bits & 63]!);
const NO_DIGIT = 64;
const VALUES = new Uint8Array(128).fill(NO_DIGIT);
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/** A multiple of 3: only the last piece is padded. */
const PIECE_BYTES = 0x6000;

/** Standard Base 64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  if (bytes.length <= PIECE_BYTES) return encode(bytes, 0, bytes.length);
  const pieces: string[] = [];
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) pieces.push(encode(bytes, from, Math.min(from + PIECE_BYTES, bytes.length)));
  return pieces.join('');
}

function encode(bytes: Uint8Array, from: number, to: number): string {
  const whole = to - ((to - from) % 3);
  let text = '';
  for (let i = from; i < whole; i += 3) {
    const bits = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    text += PAIRS[bits >> 12]! + PAIRS[bits & 4095]!;
  }
  if (to - whole === 1) return `${text}${PAIRS[bytes[whole]! << 4]!}==`;
  if (to - whole === 2)
    return `${text}${PAIRS[(bytes[whole]! << 4) | (bytes[whole + 1]! >> 4)]!}${ALPHABET[(bytes[whole + 1]! & 15) << 2]!}=`;
  return text;
}

/** Reads Base 64 and accepts one spelling only: `code` (malformed) for white space, missing padding or stray trailing bits. */
export function parseBase64(text: string, code = 'base64.malformed'): Uint8Array {
  const bytes = decode(text);
  if (bytes === undefined) throw new Refusal('malformed', code, 'expected canonical Base 64 (RFC 4648, section 4)');
  return bytes;
}

function decode(text: string): Uint8Array | undefined {
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  const digits = text.length - padding;
  if (text.length % 4 !== 0) return undefined;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let bits = 0;
  for (let i = 0, to = 0; i < digits; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? NO_DIGIT;
    if (value === NO_DIGIT) return undefined;
    bits = (bits << 6) | value;
    // After the second, third and fourth character of four there is a byte more; what is left of it stays in the low bits.
    if (i % 4 === 0) continue;
    const left = 2 * (3 - (i % 4));
    bytes[to++] = bits >> left;
    bits &= (1 << left) - 1;
  }
  // What the last character holds beyond the last byte must be nothing.
  return bits === 0 ? bytes : undefined;
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
