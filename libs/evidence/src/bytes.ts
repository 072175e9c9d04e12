import { Refusal } from '#kernel';

export const utf8 = new TextEncoder();

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads UTF-8 exactly. Refuses `code` (malformed) for bytes that are not UTF-8. */
export function parseUtf8(bytes: Uint8Array, code: string): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new Refusal('malformed', code, 'not valid UTF-8');
  }
}

/** Reads a decimal of zero or more without sign or leading zeros. Refuses `code` (malformed). */
export function parseDecimal(text: string, code: string): bigint {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) throw new Refusal('malformed', code, 'expected decimal digits without leading zeros');
  return BigInt(text);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
