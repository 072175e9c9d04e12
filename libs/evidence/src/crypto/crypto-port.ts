/**
 * The two operations that checking evidence needs. One implementation uses node:crypto, the other WebCrypto, so the verifier also
 * runs in a browser; callers await both answers, and awaiting a plain value costs next to nothing.
 */
export interface CryptoPort {
  sha256(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** RFC 8032 Ed25519 with a raw public key of 32 bytes. False for any key, message or signature that does not verify. */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>;
}

/** What signs notes and manifests: Ed25519, deterministic. */
export interface Ed25519Signer {
  readonly publicJwk: { readonly x?: string | undefined };
  sign(bytes: Uint8Array): Uint8Array;
}
