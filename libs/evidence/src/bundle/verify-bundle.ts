import { Refusal } from '#kernel';
import { toBase64 } from '../base64.js';
import type { CryptoPort } from '../crypto/crypto-port.js';
import { hashBytes } from '../merkle/tree-hash.js';
import { RangeVerifier } from '../merkle/verify.js';
import { type Checkpoint, verifyCheckpoint } from '../note/checkpoint.js';
import type { Vkey } from '../note/vkey.js';
import { BUNDLE_PARTS, type BundlePart, DIGESTED_PARTS, type ExportManifest, parseManifest, verifyManifest } from './manifest.js';
import { parseRangeProof } from './range-proof-text.js';
import { type RandomReader, readTar, type TarMember } from './tar.js';
import { verifyEntries } from './verify-entries.js';

/** What was checked, for the reader. Everything in it follows from trusted keys. */
export interface BundleReport {
  readonly manifest: ExportManifest;
  readonly checkpoint: Checkpoint;
  readonly start: bigint;
  readonly end: bigint;
  readonly included: bigint;
  readonly excluded: bigint;
}

const smallPartBytesMax = 1_048_576;

/**
 * Checks an export bundle from its bytes and the trusted keys alone: no network, no database, constant memory, any number of entries.
 * Refuses, naming `part` (and for an entry `line`, `index`, `fact`) in the hints: `bundle.malformed`, `bundle.manifest_invalid`,
 * `bundle.part_altered`, `bundle.checkpoint_invalid`, `bundle.entry_altered`, `bundle.leaves_altered`, `bundle.counts_wrong`.
 */
export async function verifyBundle(reader: RandomReader, crypto: CryptoPort, trusted: readonly Vkey[]): Promise<BundleReport> {
  const members = await readTar(reader, BUNDLE_PARTS);
  const part = (name: BundlePart) => readPart(reader, members.get(name)!);
  const manifest = await verifyManifest(crypto, await part('manifest.json'), await part('manifest.jws'), trusted);
  for (const name of DIGESTED_PARTS) {
    const digest = toBase64(await crypto.sha256(await part(name)));
    if (digest !== manifest.parts[name]) throw failed('bundle.part_altered', name, 'it is not the file that the manifest signs');
  }
  const checkpoint = await openCheckpoint(crypto, await part('checkpoint'), trusted, manifest);
  const range = { start: BigInt(manifest.range.start), end: BigInt(manifest.range.end), size: checkpoint.size };
  const leaves = members.get('leaves.bin')!;
  if (BigInt(leaves.size) !== (range.end - range.start) * BigInt(hashBytes)) {
    throw failed('bundle.leaves_altered', 'leaves.bin', 'it has another number of hashes than the range');
  }
  const proof = await RangeVerifier.start(crypto, range, parseRangeProof(await part('range-proof.json')));
  const included = await verifyEntries(crypto, {
    reader,
    leaves,
    lines: members.get('entries.ndjson')!,
    range,
    filter: manifest.filter,
    onLeaf: (leaf) => proof.append(leaf),
  });
  await finishRange(proof, checkpoint);
  const excluded = range.end - range.start - included;
  if (manifest.counts.included !== `${included}` || manifest.counts.excluded !== `${excluded}`) {
    throw failed('bundle.counts_wrong', 'entries.ndjson', `it has ${included} entries, the manifest says ${manifest.counts.included}`);
  }
  return { manifest, checkpoint, start: range.start, end: range.end, included, excluded };
}

/** The keys that a bundle names for itself. To compare with trusted ones; whoever trusts them trusts the bundle's maker. */
export async function readBundleKeys(reader: RandomReader): Promise<{ readonly log: string; readonly export: string }> {
  const members = await readTar(reader, BUNDLE_PARTS);
  const { log } = parseManifest(await readPart(reader, members.get('manifest.json')!));
  return { log: log.vkey, export: log.exportVkey };
}

async function openCheckpoint(
  crypto: CryptoPort,
  bytes: Uint8Array,
  trusted: readonly Vkey[],
  manifest: ExportManifest,
): Promise<Checkpoint> {
  const checkpoint = await verifyCheckpoint(crypto, bytes, trusted).catch((error: unknown) => {
    throw error instanceof Refusal ? failed('bundle.checkpoint_invalid', 'checkpoint', error.detail) : error;
  });
  if (checkpoint.origin !== manifest.log.origin || `${checkpoint.size}` !== manifest.log.size) {
    throw failed('bundle.checkpoint_invalid', 'checkpoint', 'it is not the checkpoint that the manifest names');
  }
  return checkpoint;
}

async function finishRange(proof: RangeVerifier, checkpoint: Checkpoint): Promise<void> {
  await proof.finish(checkpoint.root).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
    throw failed('bundle.leaves_altered', 'leaves.bin', 'the leaf hashes do not lead to the root of the checkpoint');
  });
}

async function readPart(reader: RandomReader, member: TarMember): Promise<Uint8Array> {
  if (member.size > smallPartBytesMax) throw failed('bundle.malformed', member.name, `it is larger than ${smallPartBytesMax} bytes`);
  return reader.read(member.offset, member.size);
}

const failed = (code: string, part: string, detail: string) =>
  new Refusal('unprocessable', code, `${part}: ${detail}`, { extra: { part } });

/** A reader over bytes in memory. */
export function memoryReader(bytes: Uint8Array): RandomReader {
  return { size: bytes.length, read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)) };
}
