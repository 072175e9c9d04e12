import { type CryptoPort, encodeEntryBundle, grownTiles, hashesAtLevel, type Tile, tilePath, tileWidth } from '#evidence';
import type { LogEntries } from './log-entries.js';
import type { LogFile, LogStore } from './store.js';

/** Entry bytes that a sealer still remembers: those of the indexes from `first` on. */
export interface RememberedEntries {
  readonly first: bigint;
  readonly bytes: readonly Uint8Array[];
}

/** Makes the tile files that a log grown from one size to another needs: from what is remembered, and else from PostgreSQL. */
export class TileFiles {
  constructor(
    readonly crypto: CryptoPort,
    private readonly store: LogStore,
    private readonly entries: LogEntries,
  ) {}

  async *grown(oldSize: bigint, newSize: bigint, remembered: RememberedEntries): AsyncGenerator<LogFile> {
    for (let level = 0; hashesAtLevel(newSize, level) > 0n; level++) {
      for (const tile of grownTiles(level, oldSize, newSize)) {
        yield { path: tilePath(tile), bytes: await this.store.readHashes(level, firstOf(tile), tile.width) };
      }
    }
    for (const tile of grownTiles('entries', oldSize, newSize)) {
      yield { path: tilePath(tile), bytes: encodeEntryBundle(await this.entriesOf(tile, remembered)) };
    }
  }

  private async entriesOf(tile: Tile, remembered: RememberedEntries): Promise<readonly Uint8Array[]> {
    const [start, end] = [firstOf(tile), firstOf(tile) + BigInt(tile.width)];
    const from = Number(start - remembered.first);
    const known = from < 0 ? [] : remembered.bytes.slice(from, from + tile.width);
    if (known.length === tile.width) return known;
    return (await this.entries.read(start, end)).map(({ bytes }) => bytes);
  }
}

const firstOf = (tile: Tile): bigint => tile.index * BigInt(tileWidth);
