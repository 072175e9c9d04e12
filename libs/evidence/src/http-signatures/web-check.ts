import { checkWithWebCrypto } from '../crypto/web-signatures.js';
import type { VerificationKey } from '../jose/keys.js';

/** `checkWithNode` for browsers and every other place with WebCrypto. */
export function checkWithWeb(key: VerificationKey, bytes: Uint8Array, signature: Uint8Array): Promise<boolean | undefined> {
  return checkWithWebCrypto(key, bytes, signature, { hash: 'SHA-512', saltLength: 64 });
}
