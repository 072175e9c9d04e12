const HALF_BYTES = 32;
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const NOTHING = new Uint8Array(0);

/**
 * A signature of ES256 (r and s, 32 bytes each: RFC 7518 §3.4) as the DER that OpenSSL takes; empty, which verifies under no key, where it has another
 * length. Node 24 can convert it, too, but reads the curve out of the key anew each time: 112 us for a verification instead of 82 (2026-11-22).
 */
export function derOfSignature(signature: Uint8Array): Uint8Array {
  if (signature.length !== 2 * HALF_BYTES) return NOTHING;
  const integers = [...integerOf(signature.subarray(0, HALF_BYTES)), ...integerOf(signature.subarray(HALF_BYTES))];
  return Uint8Array.of(SEQUENCE, integers.length, ...integers);
}

/** The other way, for what OpenSSL has signed. */
export function signatureOfDer(der: Uint8Array): Uint8Array {
  const signature = new Uint8Array(2 * HALF_BYTES);
  const rEnd = 4 + der[3]!;
  const [r, s] = [der.subarray(4, rEnd), der.subarray(rEnd + 2)];
  // An integer begins with a zero where its first bit would be a sign, and lacks those that it does not need.
  for (const [half, integer] of [r, s].entries()) {
    const bytes = integer.subarray(Math.max(0, integer.length - HALF_BYTES));
    signature.set(bytes, (half + 1) * HALF_BYTES - bytes.length);
  }
  return signature;
}

/** The shortest two's complement of a number that is not negative. */
function integerOf(half: Uint8Array): number[] {
  const first = half.findIndex((byte) => byte !== 0);
  const bytes = first < 0 ? [0] : [...half.subarray(first)];
  if (bytes[0]! > 0x7f) bytes.unshift(0);
  return [INTEGER, bytes.length, ...bytes];
}
