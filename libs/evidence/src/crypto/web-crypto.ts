import type { CryptoPort } from './crypto-port.js';

const { subtle } = globalThis.crypto;

/** WebCrypto wants bytes of a plain ArrayBuffer. */
const plain = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

/** For browsers (Ed25519: Chromium 137, Firefox 129, Safari 17 and later) and for Node. */
export const webCrypto: CryptoPort = {
  sha256: async (bytes) => new Uint8Array(await subtle.digest('SHA-256', plain(bytes))),
  verifyEd25519: async (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    const key = await subtle.importKey('raw', plain(publicKey), 'Ed25519', false, ['verify']);
    return subtle.verify('Ed25519', key, plain(signature), plain(message));
  },
};
