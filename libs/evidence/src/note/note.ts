import { Refusal } from '#kernel';
import { parseBase64, toBase64 } from '../base64.js';
import { concatBytes, parseUtf8, utf8 } from '../bytes.js';
import type { CryptoPort, Ed25519Signer } from '../crypto/crypto-port.js';
import { COSIGNATURE, isKeyName, NOTE_SIGNATURE, type Vkey, vkeyOf } from './vkey.js';

/** A signed note (c2sp.org/signed-note): text that ends in a newline, an empty line, signature lines. */
export interface SignedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: string;
  readonly bytes: Uint8Array;
}

const noteBytesMax = 65_536;
const noteSignaturesMax = 64;

const ID_BYTES = 4;
const ED25519_BYTES = 64;
const TIMESTAMP_BYTES = 8;

/** Signs a text that ends in a newline, under the key name `name`. */
export async function signNote(crypto: CryptoPort, text: string, name: string, signer: Ed25519Signer): Promise<string> {
  const { keyId } = await vkeyOf(crypto, name, signer);
  const id = Uint8Array.from(keyId.match(/../g)!, (hex) => parseInt(hex, 16));
  return `${text}\n— ${name} ${toBase64(concatBytes([id, signer.sign(utf8.encode(text))]))}\n`;
}

/** Reads a note's form; believes nothing. Refuses `note.malformed`. */
export function parseNote(bytes: Uint8Array): SignedNote {
  if (bytes.length > noteBytesMax) throw malformed(`a note has at most ${noteBytesMax} bytes`);
  const whole = parseUtf8(bytes, 'note.malformed');
  if ([...whole].some((char) => char < ' ' && char !== '\n')) throw malformed('a note has no control characters but newlines');
  const split = whole.lastIndexOf('\n\n');
  if (split < 0 || !whole.endsWith('\n') || split + 2 >= whole.length) throw malformed('expected text, an empty line and signatures');
  const lines = whole.slice(split + 2, -1).split('\n');
  if (lines.length > noteSignaturesMax) throw malformed(`a note has at most ${noteSignaturesMax} signatures`);
  return { text: whole.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [dash, name, encoded, ...rest] = line.split(' ');
  if (dash !== '—' || name === undefined || encoded === undefined || rest.length > 0 || !isKeyName(name)) {
    throw malformed('a signature line is a dash, a key name and a signature');
  }
  const bytes = parseBase64(encoded, 'note.malformed');
  if (bytes.length <= ID_BYTES) throw malformed('a signature follows its key id');
  const keyId = [...bytes.subarray(0, ID_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { name, keyId, bytes: bytes.subarray(ID_BYTES) };
}

/**
 * Checks the signatures made by known keys and returns these keys; unknown ones are ignored, as the specification demands.
 * Refuses `note.unsigned` (no known key signed) and `note.signature_invalid` (a known key's signature does not verify).
 */
export async function verifyNote(crypto: CryptoPort, note: SignedNote, trusted: readonly Vkey[]): Promise<Vkey[]> {
  const signers: Vkey[] = [];
  for (const signature of note.signatures) {
    const vkey = trusted.find(({ name, keyId }) => name === signature.name && keyId === signature.keyId);
    if (vkey === undefined) continue;
    if (!(await SIGNATURE_TYPES[vkey.type](crypto, vkey.publicKey, note.text, signature.bytes))) {
      throw new Refusal('unprocessable', 'note.signature_invalid', `the signature of ${vkey.name} does not verify`);
    }
    signers.push(vkey);
  }
  if (signers.length === 0) throw new Refusal('unprocessable', 'note.unsigned', 'no trusted key signed this note');
  return signers;
}

type VerifySignature = (crypto: CryptoPort, key: Uint8Array, text: string, signature: Uint8Array) => boolean | Promise<boolean>;

const SIGNATURE_TYPES: Readonly<Record<Vkey['type'], VerifySignature>> = {
  [NOTE_SIGNATURE]: (crypto, key, text, signature) =>
    signature.length === ED25519_BYTES && crypto.verifyEd25519(key, utf8.encode(text), signature),
  // c2sp.org/tlog-cosignature: the time stands before the signature and in the signed message.
  [COSIGNATURE]: (crypto, key, text, signature) => {
    if (signature.length !== TIMESTAMP_BYTES + ED25519_BYTES) return false;
    const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
    return crypto.verifyEd25519(key, utf8.encode(`cosignature/v1\ntime ${time}\n${text}`), signature.subarray(TIMESTAMP_BYTES));
  },
};

const malformed = (detail: string) => new Refusal('malformed', 'note.malformed', detail);
