/** The algorithms a registered key may be for (CONTRACT.md §2). */
export type SignatureAlgorithm = 'ES256' | 'EdDSA' | 'PS256';

/** The members of a JWK that make the public key (RFC 7518 §6, RFC 8037 §2). */
export const PUBLIC_MEMBERS: Readonly<Record<SignatureAlgorithm, readonly string[]>> = {
  ES256: ['kty', 'crv', 'x', 'y'],
  EdDSA: ['kty', 'crv', 'x'],
  PS256: ['kty', 'n', 'e'],
};

export const rsaModulusBitsMin = 2048;
export const rsaModulusBitsMax = 8192;

export function isSignatureAlgorithm(name: unknown): name is SignatureAlgorithm {
  return typeof name === 'string' && Object.hasOwn(PUBLIC_MEMBERS, name);
}
