import { Refusal } from '#kernel';
import { concatBytes, sameBytes } from '../bytes.js';
import type { CryptoPort } from '../crypto/crypto-port.js';
import { hashBytes, leafHash } from '../merkle/tree-hash.js';
import { entryBytesMax } from '../tiles/tile.js';
import { describeEntryLine, type EntryLine, parseEntryLine } from './entry-line.js';
import { type ExportFilter, isIncluded } from './export-filter.js';
import type { RandomReader, TarMember } from './tar.js';

interface EntriesToVerify {
  readonly reader: RandomReader;
  readonly leaves: TarMember;
  readonly lines: TarMember;
  readonly range: { readonly start: bigint; readonly end: bigint };
  readonly filter: ExportFilter;
  /** Is told every leaf hash of the range, in order. */
  readonly onLeaf: (leaf: Uint8Array) => Promise<void>;
}

const chunkBytes = 262_144;
const lineBytesMax = entryBytesMax + 256;

/** Walks leaves.bin and entries.ndjson side by side: each line must hash to the leaf at its index. @returns the number of lines */
export async function verifyEntries(crypto: CryptoPort, input: EntriesToVerify): Promise<bigint> {
  const leaves = readLeaves(input.reader, input.leaves);
  let next = input.range.start;
  let line = 0n;
  for await (const bytes of readLines(input.reader, input.lines)) {
    line += 1n;
    const parsed = parseLine(bytes, line);
    if (parsed.index < next || parsed.index >= input.range.end)
      throw altered(bytes, line, 'its index is out of order or outside the range');
    for (; next < parsed.index; next += 1n) await input.onLeaf(await nextOf(leaves));
    const leaf = await nextOf(leaves);
    if (!sameBytes(await leafHash(crypto, parsed.entryBytes), leaf))
      throw altered(bytes, line, 'its bytes are not those the log committed to');
    if (!isIncluded(input.filter, parsed.entry)) throw altered(bytes, line, 'the filter of the export does not ask for it');
    await input.onLeaf(leaf);
    next += 1n;
  }
  for await (const leaf of leaves) await input.onLeaf(leaf);
  return line;
}

function parseLine(bytes: Uint8Array, line: bigint): EntryLine {
  try {
    return parseEntryLine(bytes);
  } catch (error) {
    throw error instanceof Refusal ? altered(bytes, line, error.detail) : error;
  }
}

function altered(bytes: Uint8Array, line: bigint, detail: string): Refusal {
  const { index, factId } = describeEntryLine(bytes);
  const name = `entry ${index ?? 'with an unreadable index'} (fact ${factId ?? 'unreadable'}, line ${line} of entries.ndjson)`;
  return new Refusal('unprocessable', 'bundle.entry_altered', `${name}: ${detail}`, {
    extra: { part: 'entries.ndjson', line: Number(line), ...(index ? { index } : {}), ...(factId ? { fact: factId } : {}) },
  });
}

async function nextOf(leaves: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const step = await leaves.next();
  // The caller compared the size of leaves.bin with the range.
  return step.value as Uint8Array;
}

async function* readLeaves(reader: RandomReader, member: TarMember): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < member.size; at += chunkBytes) {
    const chunk = await reader.read(member.offset + at, Math.min(chunkBytes, member.size - at));
    for (let i = 0; i < chunk.length; i += hashBytes) yield chunk.subarray(i, i + hashBytes);
  }
}

async function* readLines(reader: RandomReader, member: TarMember): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for (let at = 0; at < member.size; at += chunkBytes) {
    const chunk = await reader.read(member.offset + at, Math.min(chunkBytes, member.size - at));
    const bytes = concatBytes([rest, chunk]);
    let from = 0;
    for (let to = bytes.indexOf(10); to >= 0; to = bytes.indexOf(10, from)) {
      yield bytes.subarray(from, to);
      from = to + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > lineBytesMax) break;
  }
  // A last line without its newline, or one that never ends, is handed on: it will not parse as it stands.
  if (rest.length > 0) yield rest.length > lineBytesMax ? rest.subarray(0, lineBytesMax) : new Uint8Array([...rest, 0]);
}
