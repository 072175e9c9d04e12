import { Refusal } from '#kernel';
import { concatBytes } from '../bytes.js';
import { hashBytes } from '../merkle/tree-hash.js';

/** c2sp.org/tlog-tiles: hashes in files of 256, eight levels of the tree apart. */
export const tileWidth = 256;
export const tileHeight = 8;

/** An entry in a bundle has its length in 16 bits. */
export const entryBytesMax = 65_535;

/** Tile `index` of level `level`, holding `width` hashes: 1 to 255 is a partial tile, 256 a full one. `entries` is the bundle of level 0. */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: bigint;
  readonly width: number;
}

/** Where a tile stands below the log's folder or URL: `tile/0/x001/067`, `tile/1/000.p/17`, `tile/entries/000`. */
export function tilePath(tile: Tile): string {
  const digits = tile.index.toString();
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const elements = padded.match(/.{3}/g)!.map((element, i, all) => (i < all.length - 1 ? `x${element}` : element));
  const partial = tile.width < tileWidth ? `.p/${tile.width}` : '';
  return `tile/${tile.level}/${elements.join('/')}${partial}`;
}

/** The number of hashes that level `level` stores for a tree of `size` leaves. */
export function hashesAtLevel(size: bigint, level: number): bigint {
  return size >> BigInt(tileHeight * level);
}

/** The tiles of `level` (or entry bundles) that a tree grown from `oldSize` to `newSize` has and the old one had not. */
export function* grownTiles(level: number | 'entries', oldSize: bigint, newSize: bigint): Generator<Tile> {
  const [before, after] = [oldSize, newSize].map((size) => hashesAtLevel(size, level === 'entries' ? 0 : level)) as [bigint, bigint];
  if (before === after) return;
  const width = BigInt(tileWidth);
  for (let index = before / width; index * width < after; index++) {
    const rest = after - index * width;
    yield { level, index, width: rest < width ? Number(rest) : tileWidth };
  }
}

/** An entry bundle: each entry after its length, 16 bits big-endian. Refuses `log.entry_too_large` above `entryBytesMax`. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    entries.flatMap((entry) => {
      if (entry.length > entryBytesMax) {
        throw new Refusal('too_large', 'log.entry_too_large', 'a log entry is too long', { limit: `entryBytesMax=${entryBytesMax}` });
      }
      return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
    }),
  );
}

/** Reads an entry bundle. Refuses `tile.malformed`. */
export function parseEntryBundle(bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 2 + ((bytes[at]! << 8) | (bytes[at + 1] ?? 0));
    if (at + 2 > bytes.length || end > bytes.length) throw new Refusal('malformed', 'tile.malformed', 'the entry bundle is cut off');
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

/** Cuts a tile, or any run of stored hashes, into its hashes. Refuses `tile.malformed`. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length % hashBytes !== 0) throw new Refusal('malformed', 'tile.malformed', `hashes have ${hashBytes} bytes each`);
  return Array.from({ length: bytes.length / hashBytes }, (_, i) => bytes.subarray(i * hashBytes, (i + 1) * hashBytes));
}
