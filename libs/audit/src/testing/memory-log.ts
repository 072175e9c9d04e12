import { concatBytes, hashBytes, type StoredFact, type StoredNode } from '#evidence';
import { type FactSpan, Refusal, type Shard } from '#kernel';
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
} from '../store.js';

/** Facts in memory, numbered per shard. */
export class MemoryFacts implements FactSource {
  readonly facts: StoredFact[] = [];
  readonly heads = new Map<Shard, bigint>();
  stopped = false;

  add(shard: Shard, kind = 'test.happened'): void {
    if (this.stopped) throw new Refusal('unavailable', 'log.rolled_back', 'stopped');
    const seq = (this.heads.get(shard) ?? 0n) + 1n;
    this.heads.set(shard, seq);
    this.facts.push({ shard, seq, at: new Date(1_700_000_000_000 + Number(seq)), kind, body: { n: Number(seq) } });
  }

  remove(shard: Shard, seq: bigint): void {
    this.facts.splice(
      this.facts.findIndex((fact) => fact.shard === shard && fact.seq === seq),
      1,
    );
  }

  read(spans: readonly FactSpan[]): Promise<StoredFact[][]> {
    const inSpan = ({ shard, afterSeq, upToSeq }: FactSpan) =>
      this.facts.filter((fact) => fact.shard === shard && fact.seq > afterSeq && fact.seq <= upToSeq);
    return Promise.resolve(spans.map(inSpan));
  }
}

export class MemoryLogStore implements LogStore {
  private state: LogState | undefined;
  private segments: Segment[] = [];
  private readonly nodes = new Map<string, Uint8Array>();
  private readonly cursors = new Map<Shard, bigint>();
  private checkpoints: PublishedCheckpoint[] = [];
  private lock: Promise<unknown> = Promise.resolve();

  constructor(private readonly facts: MemoryFacts) {}

  open(origin: string): Promise<LogState> {
    return Promise.resolve((this.state ??= { origin, size: 0n, publishedSize: 0n }));
  }

  readBacklog(): Promise<Backlog[]> {
    const all = [...this.facts.heads].map(([shard, lastSeq]) => ({ shard, lastSeq, sealedSeq: this.cursors.get(shard) ?? 0n }));
    return Promise.resolve(all.filter(({ lastSeq, sealedSeq }) => lastSeq !== sealedSeq));
  }

  stopFacts(): Promise<void> {
    this.facts.stopped = true;
    return Promise.resolve();
  }

  letFactsGoOn(): Promise<void> {
    this.facts.stopped = false;
    return Promise.resolve();
  }

  append(expectedSize: bigint, segments: readonly Segment[], nodes: readonly StoredNode[]): Promise<boolean> {
    return this.locked(() => {
      if (this.state!.size !== expectedSize) return Promise.resolve(false);
      this.segments.push(...segments);
      for (const { level, index, hash } of nodes) this.nodes.set(`${level}/${index}`, hash);
      for (const { shard, firstSeq, count } of segments) this.cursors.set(shard, firstSeq + BigInt(count) - 1n);
      const count = segments.reduce((sum, segment) => sum + segment.count, 0);
      this.state = { ...this.state!, size: expectedSize + BigInt(count) };
      return Promise.resolve(true);
    });
  }

  publish(work: (state: LogState) => Promise<PublishedCheckpoint | undefined>): Promise<void> {
    return this.locked(async () => {
      const checkpoint = await work(this.state!);
      if (!checkpoint) return;
      this.checkpoints.push(checkpoint);
      this.state = { ...this.state!, publishedSize: checkpoint.size };
    });
  }

  lastCheckpoint(): Promise<PublishedCheckpoint | undefined> {
    return Promise.resolve(this.checkpoints.at(-1));
  }

  readSegments(start: bigint, end: bigint): Promise<Segment[]> {
    return Promise.resolve(this.segments.filter(({ firstIndex, count }) => firstIndex < end && firstIndex + BigInt(count) > start));
  }

  findSegment(shard: Shard, seq: bigint): Promise<Segment | undefined> {
    const holds = (segment: Segment) =>
      segment.shard === shard && segment.firstSeq <= seq && seq < segment.firstSeq + BigInt(segment.count);
    return Promise.resolve(this.segments.find(holds));
  }

  findRange(from: Date | undefined, to: Date | undefined): Promise<{ start: bigint; end: bigint }> {
    const inside = this.segments.filter(({ firstAt, lastAt }) => (!from || lastAt >= from) && (!to || firstAt < to));
    const [first, last] = [inside[0], inside.at(-1)];
    return Promise.resolve(first && last ? { start: first.firstIndex, end: last.firstIndex + BigInt(last.count) } : { start: 0n, end: 0n });
  }

  readHashes(level: number, first: bigint, count: number): Promise<Uint8Array> {
    const hashes = level === 0 ? this.leaves(first, count) : this.storedNodes(level, first, count);
    return Promise.resolve(concatBytes(hashes));
  }

  /** Takes a backup of the log; the answer restores it. */
  snapshot(): () => void {
    const copy = { state: this.state, segments: [...this.segments], cursors: [...this.cursors], checkpoints: [...this.checkpoints] };
    return () => {
      this.state = copy.state;
      this.segments = [...copy.segments];
      this.checkpoints = [...copy.checkpoints];
      this.cursors.clear();
      for (const [shard, seq] of copy.cursors) this.cursors.set(shard, seq);
    };
  }

  private leaves(first: bigint, count: number): Uint8Array[] {
    const all = concatBytes(this.segments.map(({ leafHashes }) => leafHashes));
    return [all.subarray(Number(first) * hashBytes, (Number(first) + count) * hashBytes)];
  }

  private storedNodes(level: number, first: bigint, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, i) => this.nodes.get(`${level}/${first + BigInt(i)}`) ?? new Uint8Array());
  }

  private locked<T>(work: () => Promise<T>): Promise<T> {
    const result = this.lock.then(work);
    this.lock = result.catch(() => undefined);
    return result;
  }
}

export class MemoryLogFiles implements LogFiles {
  readonly tiles = new Map<string, Uint8Array>();
  checkpoint: string | undefined;
  anchor: string | undefined;

  writeTiles(files: readonly LogFile[]): Promise<void> {
    for (const { path, bytes } of files) this.tiles.set(path, bytes);
    return Promise.resolve();
  }

  readCheckpoint(): Promise<string | undefined> {
    return Promise.resolve(this.checkpoint);
  }

  writeCheckpoint(note: string): Promise<void> {
    this.checkpoint = note;
    return Promise.resolve();
  }

  readAnchor(): Promise<string | undefined> {
    return Promise.resolve(this.anchor);
  }

  writeAnchor(note: string): Promise<void> {
    this.anchor = note;
    return Promise.resolve();
  }
}

export class MemoryAlarms implements Alarms {
  private readonly raised = new Map<string, OpenAlarm>();

  open(): Promise<OpenAlarm[]> {
    return Promise.resolve([...this.raised.values()]);
  }

  raise(alarm: OpenAlarm): Promise<void> {
    this.raised.set(`${alarm.code} ${alarm.place}`.trim(), alarm);
    return Promise.resolve();
  }

  clear(code: string, place: string): Promise<void> {
    this.raised.delete(`${code} ${place}`.trim());
    return Promise.resolve();
  }
}
