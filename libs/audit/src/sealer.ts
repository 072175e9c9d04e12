import {
  concatBytes,
  type CryptoPort,
  type Ed25519Signer,
  GrowingTree,
  hashesAtLevel,
  leafHash,
  signCheckpoint,
  splitHashes,
  type StoredFact,
  tileWidth,
  utf8,
  verifyCheckpoint,
  type Vkey,
  vkeyOf,
} from '#evidence';
import { type FactSpan, Refusal, type Shard } from '#kernel';
import { RolledBack, verifyAnchor } from './anchor.js';
import { LOG_CODES } from './codes.js';
import { entryBytesOf, readFactRuns } from './fact-runs.js';
import type { RememberedEntries, TileFiles } from './tile-files.js';
import type {
  Alarms,
  Backlog,
  FactSource,
  LogFile,
  LogFiles,
  LogState,
  LogStore,
  OpenAlarm,
  PublishedCheckpoint,
  Segment,
} from './store.js';

const sealLimits = { factsPerBatchMax: 10_000, batchesPerSealMax: 12, tilesAtOnceMax: 64 } as const;

export interface SealerParts {
  readonly crypto: CryptoPort;
  readonly store: LogStore;
  readonly files: LogFiles;
  readonly sources: readonly FactSource[];
  readonly tiles: TileFiles;
  readonly signer: Ed25519Signer;
  readonly alarms: Alarms;
  /** Used once, for an installation that has no log yet. */
  readonly newOrigin: string;
}

const NOTHING: RememberedEntries = { first: 0n, bytes: [] };

/**
 * Turns facts into the sealed log. Every fact that was committed before a call of `sealOnce` stands under a published checkpoint
 * after it, in number order per shard, once; a crash between any two steps is healed by the next call.
 */
export class Sealer {
  private tree: GrowingTree | undefined;
  private remembered = NOTHING;
  /** By name. Another worker's are among them: it may be dead when what it found has passed. */
  private active = new Map<string, OpenAlarm>();
  /** By name, what this one found. After its first good round it ends nothing of another's anchor: that may be lost while its own is good. */
  private readonly found = new Set<string>();
  private isNew = true;

  constructor(private readonly parts: SealerParts) {}

  /** The codes of the alarms that stood after this sealer's last round, whoever raised them; readiness is red while there is one. */
  get alarms(): readonly string[] {
    return [...this.active.keys()].sort();
  }

  /** The key under which this log signs, for the file of trusted keys. */
  async vkey(): Promise<Vkey> {
    const { origin } = await this.parts.store.open(this.parts.newOrigin);
    return vkeyOf(this.parts.crypto, origin, this.parts.signer);
  }

  /** Refuses `log.rolled_back`, `log.forked`, `log.anchor_invalid`, `log.anchor_missing`: then nothing was appended or signed. */
  async sealOnce(): Promise<{ sealed: number; size: bigint }> {
    this.active = new Map((await this.parts.alarms.open()).map((alarm) => [alarmName(alarm.code, alarm.place), alarm]));
    const { store, newOrigin } = this.parts;
    const { origin, size: sizeNow } = await store.open(newOrigin);
    await this.guarded(async () => {
      this.refuseOlder(sizeNow);
      await this.verifyAnchor(origin, async () => (await store.open(newOrigin)).size);
    });
    await this.catchUp();
    let sealed = 0;
    for (let batch = 0; batch < sealLimits.batchesPerSealMax; batch++) {
      const count = await this.appendBatch();
      sealed += count;
      if (count < sealLimits.factsPerBatchMax / 2) break;
    }
    const size = await this.publish();
    this.isNew = false;
    return { sealed, size };
  }

  /**
   * Brings the files up to what is published, from PostgreSQL: where the folder was lost or put back from a copy, or another worker published
   * into a folder of its own.
   */
  private async catchUp(): Promise<void> {
    const { store, files } = this.parts;
    const last = await store.lastCheckpoint();
    const standing = await this.sizeOfFiles();
    if (!last || standing >= last.size) return;
    await this.writeTiles(standing, last.size, NOTHING);
    await store.publish(async () => {
      if ((await this.sizeOfFiles()) < last.size) await files.writeCheckpoint(last.note);
      return undefined;
    });
  }

  /** Leaves under the checkpoint that stands in the folder; its tiles stood before it. */
  private async sizeOfFiles(): Promise<bigint> {
    const note = await this.parts.files.readCheckpoint();
    if (note === undefined) return 0n;
    const checkpoint = await verifyCheckpoint(this.parts.crypto, utf8.encode(note), [await this.vkey()]).catch(nothingIfRefused);
    return checkpoint?.size ?? 0n;
  }

  private async appendBatch(): Promise<number> {
    const { size } = await this.parts.store.open(this.parts.newOrigin);
    const tree = (await this.treeOf(size)).clone();
    const backlog = await this.parts.store.readBacklog();
    await this.clearPassed(backlog);
    const runs = await this.readRuns(backlog);
    const facts = runs.flat();
    if (facts.length === 0) return 0;
    const entries = entryBytesOf(facts);
    const leaves: Uint8Array[] = [];
    for (const entry of entries) leaves.push(await leafHash(this.parts.crypto, entry));
    const nodes = await tree.append(leaves);
    if (!(await this.parts.store.append(size, segmentsOf(size, runs, leaves), nodes))) {
      // Another worker appended meanwhile; what it sealed is no longer in the backlog of the next call.
      this.forget();
      return 0;
    }
    this.tree = tree;
    this.remember(size, entries);
    return facts.length;
  }

  private async readRuns(backlog: readonly Backlog[]): Promise<(readonly StoredFact[])[]> {
    const quota = BigInt(Math.max(1, Math.floor(sealLimits.factsPerBatchMax / Math.max(1, backlog.length))));
    const spans: FactSpan[] = [];
    for (const { shard, sealedSeq, lastSeq } of backlog) {
      const upToSeq = lastSeq < sealedSeq + quota ? lastSeq : sealedSeq + quota;
      if (upToSeq >= sealedSeq) spans.push({ shard, afterSeq: sealedSeq, upToSeq });
      else await this.raise(rolledBackOn(shard), `shard ${shard} is at ${lastSeq}, but ${sealedSeq} facts of it are sealed`);
    }
    const runs = await readFactRuns(this.parts.sources, spans);
    for (const [i, { missingSeq }] of runs.entries()) await this.reportGap(spans[i]!.shard, missingSeq);
    return runs.map(({ facts }) => facts);
  }

  /** A shard that waits for nothing misses nothing, and one that is ahead of its seal is not behind it. */
  private async clearPassed(backlog: readonly Backlog[]): Promise<void> {
    for (const { code, place } of [...this.active.values()].filter((alarm) => alarm.place !== '')) {
      const waiting = backlog.find(({ shard }) => place === `${shard}`);
      if (!waiting || (code === LOG_CODES.rolledBack && waiting.lastSeq > waiting.sealedSeq)) await this.clear(code, place);
    }
  }

  private async reportGap(shard: Shard, missingSeq: bigint | undefined): Promise<void> {
    if (missingSeq !== undefined)
      await this.raise({ code: LOG_CODES.gap, place: `${shard}` }, `fact ${missingSeq} of shard ${shard} is missing or doubled`);
    else await this.clear(LOG_CODES.gap, `${shard}`);
  }

  /** Tiles first, then the anchor, then the checkpoint that readers see: a checkpoint never stands without its tiles. */
  private async publish(): Promise<bigint> {
    let size = 0n;
    await this.parts.store.publish(async (state) => {
      size = state.size;
      if (state.size === state.publishedSize) return undefined;
      await this.guarded(() => this.verifyAnchor(state.origin, () => Promise.resolve(state.size)));
      await this.writeTiles(state.publishedSize, state.size, this.remembered);
      const checkpoint = await this.signCheckpoint(state);
      await this.parts.files.writeAnchor(checkpoint.note);
      await this.parts.files.writeCheckpoint(checkpoint.note);
      return checkpoint;
    });
    this.keepTail(size);
    return size;
  }

  private async signCheckpoint({ origin, size }: LogState): Promise<PublishedCheckpoint> {
    const { crypto, signer } = this.parts;
    const root = await (await this.treeOf(size)).root();
    return { size, note: await signCheckpoint(crypto, { origin, size, root }, signer) };
  }

  private async writeTiles(from: bigint, to: bigint, remembered: RememberedEntries): Promise<void> {
    let batch: LogFile[] = [];
    for await (const file of this.parts.tiles.grown(from, to, remembered)) {
      batch.push(file);
      if (batch.length < sealLimits.tilesAtOnceMax) continue;
      await this.parts.files.writeTiles(batch);
      batch = [];
    }
    await this.parts.files.writeTiles(batch);
  }

  private async verifyAnchor(origin: string, size: () => Promise<bigint>): Promise<void> {
    const { crypto, store, files, signer } = this.parts;
    await verifyAnchor(crypto, store, files, { origin, size, vkey: await vkeyOf(crypto, origin, signer) });
  }

  /** What another worker missed is missed here, too: its anchor may be the newer one. */
  private refuseOlder(size: bigint): void {
    const entriesMin = this.active.get(LOG_CODES.rolledBack)?.entriesMin ?? 0n;
    if (size < entriesMin) throw new RolledBack(size, entriesMin);
  }

  /** What refuses to sign is an alarm, until it passes. */
  private async guarded(check: () => Promise<void>): Promise<void> {
    const codes = [LOG_CODES.rolledBack, LOG_CODES.forked, LOG_CODES.anchorInvalid, LOG_CODES.anchorMissing];
    try {
      await check();
    } catch (error) {
      this.forget();
      const entriesMin = error instanceof RolledBack ? error.signedSize : undefined;
      if (error instanceof Refusal) await this.raise({ code: error.code, place: '', entriesMin }, error.detail);
      if (error instanceof Refusal && error.code === LOG_CODES.rolledBack) await this.parts.store.stopFacts();
      throw error;
    }
    if (this.active.has(LOG_CODES.rolledBack)) await this.parts.store.letFactsGoOn();
    for (const code of codes) if (code === LOG_CODES.rolledBack || this.isNew || this.found.has(code)) await this.clear(code, '');
  }

  private async treeOf(size: bigint): Promise<GrowingTree> {
    if (this.tree?.size === size) return this.tree;
    this.forget();
    const edge: Uint8Array[][] = [];
    for (let level = 0; hashesAtLevel(size, level) > 0n; level++) {
      const stored = hashesAtLevel(size, level);
      const count = Number(stored % BigInt(tileWidth));
      edge.push(splitHashes(await this.parts.store.readHashes(level, stored - BigInt(count), count)));
    }
    return (this.tree = GrowingTree.restore(this.parts.crypto, size, edge));
  }

  private remember(size: bigint, entries: readonly Uint8Array[]): void {
    const { first, bytes } = this.remembered;
    const follows = first + BigInt(bytes.length) === size;
    this.remembered = follows ? { first, bytes: [...bytes, ...entries] } : { first: size, bytes: entries };
  }

  /** After publishing only the entries of the tile that is still filling are of use. */
  private keepTail(size: bigint): void {
    const { first, bytes } = this.remembered;
    const tail = size - (size % BigInt(tileWidth));
    if (first < tail) this.remembered = { first: tail, bytes: bytes.slice(Number(tail - first)) };
  }

  private forget(): void {
    this.tree = undefined;
    this.remembered = NOTHING;
  }

  private async raise(alarm: OpenAlarm, detail: string): Promise<void> {
    const name = alarmName(alarm.code, alarm.place);
    const known = this.active.get(name);
    if (known && (known.entriesMin ?? 0n) >= (alarm.entriesMin ?? 0n)) return;
    this.active.set(name, alarm);
    this.found.add(name);
    await this.parts.alarms.raise(alarm, detail);
  }

  private async clear(code: string, place: string): Promise<void> {
    this.found.delete(alarmName(code, place));
    if (this.active.delete(alarmName(code, place))) await this.parts.alarms.clear(code, place);
  }
}

/** Altered, or of another log: as good as none. */
function nothingIfRefused(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error;
}

const alarmName = (code: string, place: string): string => (place === '' ? code : `${code} ${place}`);

const rolledBackOn = (shard: Shard) => ({ code: LOG_CODES.rolledBack, place: `${shard}` });

function segmentsOf(size: bigint, runs: readonly (readonly StoredFact[])[], leaves: readonly Uint8Array[]): Segment[] {
  const segments: Segment[] = [];
  let offset = 0;
  for (const run of runs) {
    const [first, last] = [run[0], run.at(-1)];
    if (!first || !last) continue;
    const leafHashes = concatBytes(leaves.slice(offset, offset + run.length));
    const place = { firstIndex: size + BigInt(offset), shard: first.shard, firstSeq: first.seq, count: run.length };
    segments.push({ ...place, firstAt: first.at, lastAt: last.at, leafHashes });
    offset += run.length;
  }
  return segments;
}
