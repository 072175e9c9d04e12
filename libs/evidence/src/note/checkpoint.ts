import { Refusal } from '#kernel';
import { parseBase64, toBase64 } from '../base64.js';
import { parseDecimal } from '../bytes.js';
import type { CryptoPort, Ed25519Signer } from '../crypto/crypto-port.js';
import { hashBytes } from '../merkle/tree-hash.js';
import { parseNote, signNote, verifyNote } from './note.js';
import type { Vkey } from './vkey.js';

/** A tree head (c2sp.org/tlog-checkpoint): which log, how many leaves, which root. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: bigint;
  readonly root: Uint8Array;
}

function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** A checkpoint signed by its log: the key's name is the origin. */
export function signCheckpoint(crypto: CryptoPort, checkpoint: Checkpoint, signer: Ed25519Signer): Promise<string> {
  return signNote(crypto, formatCheckpoint(checkpoint), checkpoint.origin, signer);
}

/** Reads the form of a checkpoint without extension lines (ours has none, and nobody could audit them). Refuses `checkpoint.malformed`. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const [origin, size, root] = lines;
  if (!origin || size === undefined || root === undefined || lines.length !== 4 || lines[3] !== '') {
    throw new Refusal('malformed', 'checkpoint.malformed', 'expected three lines: origin, size and root');
  }
  const checkpoint = { origin, size: parseDecimal(size, 'checkpoint.malformed'), root: parseBase64(root, 'checkpoint.malformed') };
  if (checkpoint.root.length !== hashBytes) throw new Refusal('malformed', 'checkpoint.malformed', `a root has ${hashBytes} bytes`);
  return checkpoint;
}

/**
 * Reads a signed checkpoint and checks the signature of its log. A trusted key vouches only for the log of its own name.
 * Refuses `note.malformed`, `checkpoint.malformed`, `note.signature_invalid`, `checkpoint.untrusted`.
 */
export async function verifyCheckpoint(crypto: CryptoPort, signed: Uint8Array, trusted: readonly Vkey[]): Promise<Checkpoint> {
  const note = parseNote(signed);
  const checkpoint = parseCheckpoint(note.text);
  const keysOfLog = trusted.filter(({ name }) => name === checkpoint.origin);
  if (keysOfLog.length === 0) {
    throw new Refusal(
      'unprocessable',
      'checkpoint.untrusted',
      `no trusted key is named ${JSON.stringify(checkpoint.origin)}, this log's origin`,
    );
  }
  await verifyNote(crypto, note, keysOfLog);
  return checkpoint;
}
