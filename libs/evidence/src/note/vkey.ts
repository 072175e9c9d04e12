import { Refusal } from '#kernel';
import { parseBase64, parseBase64Url, toBase64 } from '../base64.js';
import { concatBytes, utf8 } from '../bytes.js';
import type { CryptoPort, Ed25519Signer } from '../crypto/crypto-port.js';

/** Signature types of c2sp.org/signed-note: a note signed with Ed25519, and a witness's timestamped cosignature of a checkpoint. */
export const NOTE_SIGNATURE = 0x01;
export const COSIGNATURE = 0x04;

/** A public key that somebody trusts under a name: `<name>+<key id>+<Base 64 of type and key>`. */
export interface Vkey {
  readonly name: string;
  /** Eight lower-case hex digits. */
  readonly keyId: string;
  readonly type: typeof NOTE_SIGNATURE | typeof COSIGNATURE;
  readonly publicKey: Uint8Array;
}

const KEY_BYTES = 32;
const NAME_FORM = /^[^\s+\p{Cc}]+$/u;

export function isKeyName(name: string): boolean {
  return NAME_FORM.test(name);
}

/** The key that belongs to a signer, under `name`. Throws where the name has white space or a plus. */
export async function vkeyOf(crypto: CryptoPort, name: string, signer: Ed25519Signer): Promise<Vkey> {
  const publicKey = parseBase64Url(signer.publicJwk.x ?? '');
  if (!isKeyName(name) || publicKey.length !== KEY_BYTES) throw new TypeError('not a key name and an Ed25519 key');
  return { name, keyId: await keyIdOf(crypto, name, NOTE_SIGNATURE, publicKey), type: NOTE_SIGNATURE, publicKey };
}

export function formatVkey(vkey: Vkey): string {
  return `${vkey.name}+${vkey.keyId}+${toBase64(concatBytes([Uint8Array.of(vkey.type), vkey.publicKey]))}`;
}

/** Reads one key. Refuses `vkey.malformed`, also for a key id that does not belong to name and key. */
export async function parseVkey(crypto: CryptoPort, text: string): Promise<Vkey> {
  const [, name, keyId, encoded] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  if (name === undefined || keyId === undefined || encoded === undefined || !isKeyName(name)) throw malformed('expected <name>+<id>+<key>');
  const [type, ...key] = parseBase64(encoded, 'vkey.malformed');
  if ((type !== NOTE_SIGNATURE && type !== COSIGNATURE) || key.length !== KEY_BYTES) throw malformed('only Ed25519 keys are supported');
  const publicKey = Uint8Array.from(key);
  if ((await keyIdOf(crypto, name, type, publicKey)) !== keyId) throw malformed('the key id does not belong to this name and key');
  return { name, keyId, type, publicKey };
}

/** Reads a file of trusted keys: one per line, empty lines and lines that start with # aside. */
export async function parseVkeys(crypto: CryptoPort, text: string): Promise<Vkey[]> {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return Promise.all(lines.map((line) => parseVkey(crypto, line.trim())));
}

/** SHA-256(name || LF || type || key), the first four bytes. */
async function keyIdOf(crypto: CryptoPort, name: string, type: number, publicKey: Uint8Array): Promise<string> {
  const digest = await crypto.sha256(concatBytes([utf8.encode(`${name}\n`), Uint8Array.of(type), publicKey]));
  return [...digest.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const malformed = (detail: string) => new Refusal('malformed', 'vkey.malformed', detail);
