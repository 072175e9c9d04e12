import type { Fact, FactPosition, Facts, Shard, ShardedId } from '#kernel';
import { MemoryConsentBook } from '#consents/testing/memory-consent-book';
import { MemoryRecordBook } from '#records/testing/memory-record-book';
import type { StoredEvent } from '../event.js';
import type { KnownStanding, StandingChange } from '../rescore.js';
import type { Standing, StandingReader } from '../standing.js';
import {
  type Books,
  type EventFailure,
  type EventQueue,
  type Exchange,
  type FactBook,
  retryAfterMs,
  type StandingBook,
  type StandingVersion,
} from '../store.js';

interface QueuedEvent extends StoredEvent {
  readonly acked?: boolean;
  readonly failures?: number;
  readonly retryAt?: Date;
}

/** The exchange in memory: one transaction at a time, undone when it throws. */
export class MemoryExchange implements Exchange, EventQueue, StandingReader {
  private readonly consents = new MemoryConsentBook();
  private readonly records = new MemoryRecordBook();
  private readonly standings = new MemoryStandingBook();
  private readonly facts = new MemoryFactBook();
  private last: Promise<unknown> = Promise.resolve();

  transaction<T>(work: (books: Books) => Promise<T>): Promise<T> {
    const mine = this.last.then(() => this.alone(work));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private async alone<T>(work: (books: Books) => Promise<T>): Promise<T> {
    const undo = [this.consents, this.records, this.standings, this.facts].map((book) => book.snapshot());
    try {
      return await work({ consents: this.consents, records: this.records, standings: this.standings, facts: this.facts });
    } catch (error) {
      for (const goBack of undo) goBack();
      throw error;
    }
  }

  async due(at: Date, countMax: number): Promise<ShardedId[]> {
    const due = [...this.standings.all.values()].filter(({ nextChangeAt }) => nextChangeAt && nextChangeAt <= at);
    return due.slice(0, countMax).map(({ subject }) => subject);
  }

  async load(subjects: readonly ShardedId[]): Promise<(Standing | undefined)[]> {
    return subjects.map(({ uuid }) => {
      const known = this.standings.all.get(uuid);
      if (!known) return undefined;
      const { subject, kind, version, score, factors, restrictions } = known;
      return { subject, kind, version, score, factors, restrictions };
    });
  }

  async factKinds(): Promise<string[]> {
    return this.facts.all.map(({ kind }) => kind);
  }

  async waiting(participant: string, countMax: number, at: Date): Promise<StoredEvent[]> {
    const held = new Set<string>();
    const found: StoredEvent[] = [];
    for (const event of this.standings.events.filter((one) => one.participant === participant)) {
      const { acked, retryAt } = event;
      if (!acked && retryAt && retryAt > at) held.add(event.ref.uuid);
      if (!acked && !held.has(event.ref.uuid)) found.push(event);
    }
    return found.slice(0, countMax);
  }

  async acknowledge(participant: string, ids: readonly string[]): Promise<void> {
    this.settle(participant, ids, () => ({ acked: true }));
  }

  async fail(participant: string, failures: ReadonlyMap<string, EventFailure>, at: Date): Promise<void> {
    this.settle(participant, [...failures.keys()], ({ failures: so = 0 }) => ({
      failures: so + 1,
      retryAt: new Date(at.getTime() + retryAfterMs(so)),
    }));
  }

  private settle(participant: string, ids: readonly string[], change: (event: QueuedEvent) => Partial<QueuedEvent>): void {
    this.standings.events = this.standings.events.map((event) =>
      event.participant === participant && ids.includes(event.id) ? { ...event, ...change(event) } : event,
    );
  }
}

class MemoryStandingBook implements StandingBook {
  all = new Map<string, KnownStanding>();
  events: QueuedEvent[] = [];
  private versions: StandingVersion[] = [];

  snapshot(): () => void {
    const { all, events, versions } = this;
    this.all = new Map(all);
    return () => void Object.assign(this, { all, events, versions });
  }

  async load({ uuid }: ShardedId): Promise<KnownStanding | undefined> {
    return this.all.get(uuid);
  }

  async add(standing: KnownStanding): Promise<void> {
    this.all.set(standing.subject.uuid, standing);
  }

  async save({ next }: StandingChange): Promise<void> {
    this.all.set(next.subject.uuid, next);
  }

  async addVersion(version: StandingVersion): Promise<void> {
    this.versions = [...this.versions, version];
  }

  async addEvents(events: readonly StoredEvent[]): Promise<void> {
    this.events = [...this.events, ...events];
  }
}

class MemoryFactBook implements FactBook {
  all: Fact[] = [];
  private seqs = new Map<Shard, bigint>();

  snapshot(): () => void {
    const { all, seqs } = this;
    this.seqs = new Map(seqs);
    return () => void Object.assign(this, { all, seqs });
  }

  async append(facts: Facts): Promise<FactPosition[]> {
    this.all = [...this.all, ...facts];
    return facts.map(({ shard }) => {
      const seq = (this.seqs.get(shard) ?? 0n) + 1n;
      this.seqs.set(shard, seq);
      return { shard, seq, at: new Date('2026-11-21T08:00:00.000Z') };
    });
  }
}
