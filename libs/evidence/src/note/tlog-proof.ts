import { Refusal } from '#kernel';
import { parseBase64, toBase64 } from '../base64.js';
import { parseDecimal, parseUtf8, utf8 } from '../bytes.js';
import type { CryptoPort } from '../crypto/crypto-port.js';
import { leafHash } from '../merkle/tree-hash.js';
import { verifyInclusion } from '../merkle/verify.js';
import { type Checkpoint, verifyCheckpoint } from './checkpoint.js';
import type { Vkey } from './vkey.js';

/** A proof that carries all it needs (c2sp.org/tlog-proof@v1). `extra` is not authenticated by itself: ours holds the entry, whose hash is. */
export interface TlogProof {
  readonly extra?: Uint8Array;
  readonly index: bigint;
  readonly path: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
const CODE = 'tlog_proof.malformed';
const pathHashesMax = 63;
const tlogProofBytesMax = 262_144;

export function formatTlogProof(proof: TlogProof): string {
  const extra = proof.extra === undefined ? [] : [`extra ${toBase64(proof.extra)}`];
  return [HEADER, ...extra, `index ${proof.index}`, ...proof.path.map(toBase64), '', proof.checkpoint].join('\n');
}

/** Reads the form only. Refuses `tlog_proof.malformed`. */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  if (bytes.length > tlogProofBytesMax) throw malformed(`a proof has at most ${tlogProofBytesMax} bytes`);
  const text = parseUtf8(bytes, CODE);
  const split = text.indexOf('\n\n');
  const [header, ...lines] = text.slice(0, split).split('\n');
  if (split < 0 || header !== HEADER) throw malformed(`expected the line ${HEADER}`);
  const extra = lines[0]?.startsWith('extra ') ? lines.shift()!.slice('extra '.length) : undefined;
  const index = lines.shift();
  if (!index?.startsWith('index ')) throw malformed('expected the index of the entry');
  if (lines.length > pathHashesMax) throw malformed(`a path has at most ${pathHashesMax} hashes`);
  return {
    ...(extra === undefined ? {} : { extra: parseBase64(extra, CODE) }),
    index: parseDecimal(index.slice('index '.length), CODE),
    path: lines.map((line) => parseBase64(line, CODE)),
    checkpoint: text.slice(split + 2),
  };
}

/** Checks that `entry` stands in the log at the proof's index. Refuses what `verifyCheckpoint` and `verifyInclusion` refuse. */
export async function verifyTlogProof(
  crypto: CryptoPort,
  proof: TlogProof,
  entry: Uint8Array,
  trusted: readonly Vkey[],
): Promise<Checkpoint> {
  const checkpoint = await verifyCheckpoint(crypto, utf8.encode(proof.checkpoint), trusted);
  const leaf = await leafHash(crypto, entry);
  await verifyInclusion(crypto, { index: proof.index, size: checkpoint.size, root: checkpoint.root, leaf, path: proof.path });
  return checkpoint;
}

const malformed = (detail: string) => new Refusal('malformed', CODE, detail);
