import type { Fact, FactPosition, Facts, Shard, ShardedId } from '#kernel';
import { MemoryConsentBook } from '#consents/testing/memory-consent-book';
import { MemoryConsentLedger } from '#consents/testing/memory-consent-ledger';
import { type NonceClaim, replayedAmong } from '#partners';
import { MemoryRecordBook } from '#records/testing/memory-record-book';
import { findDisputed } from '../dispute/disputed-record.js';
import type { StoredEvent } from '../event.js';
import type { ImposedRestriction } from '../imposed.js';
import { BUILT_IN_LADDER, type Ladder } from '../ladder.js';
import type { RecordIdentity } from '#records';
import type { Appeal } from '../appeal.js';
import type { OpenRetraction, RestrictionHistory, RestrictionReader } from '../appeal-store.js';
import type { KnownStanding } from '../rescore.js';
import type { StandingSaving } from '../save-change.js';
import type { OrderRequest } from '../staff-order.js';
import type { Standing, StandingReader } from '../standing.js';
import { nameOf } from '../together/names.js';
import { NameTaken, type TogetherBooks, type TogetherExchange } from '../together/together-books.js';
import { MemoryAppealBook } from './memory-appeal-book.js';
import { MemoryDisputeBook } from './memory-dispute-book.js';
import {
  type Books,
  type EventFailure,
  type EventQueue,
  type Exchange,
  type FactBook,
  type HeldSubject,
  retryAfterMs,
  type StandingBook,
} from '../store.js';

interface QueuedEvent extends StoredEvent {
  readonly acked?: boolean;
  readonly failures?: number;
  readonly retryAt?: Date;
}

/** The exchange in memory: one transaction at a time, undone when it throws. */
export class MemoryExchange implements Exchange, TogetherExchange, EventQueue, StandingReader, RestrictionReader {
  private readonly consents = new MemoryConsentBook();
  readonly consentLedger = new MemoryConsentLedger(() => this.facts.at);
  private readonly records = new MemoryRecordBook();
  private readonly standings = new MemoryStandingBook();
  private readonly appeals = new MemoryAppealBook(this.standings);
  readonly disputes = new MemoryDisputeBook(this.standings);
  private readonly facts = new MemoryFactBook();
  private readonly nonces = new MemoryNonces();
  private last: Promise<unknown> = Promise.resolve();
  ladder: Ladder = BUILT_IN_LADDER;

  transaction<T>(work: (books: Books) => Promise<T>): Promise<T> {
    const mine = this.last.then(() => this.alone(work));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private async alone<T>(work: (books: Books) => Promise<T>): Promise<T> {
    const undo = [
      this.consents,
      this.consentLedger,
      this.records,
      this.standings,
      this.appeals,
      this.disputes,
      this.facts,
      this.nonces,
    ].map((book) => book.snapshot());
    try {
      return await work(this.books());
    } catch (error) {
      for (const goBack of undo) goBack();
      throw error;
    }
  }

  private books(): Books {
    const { consents, consentLedger, records, standings, appeals, disputes, facts } = this;
    return {
      consents,
      consentLedger,
      records,
      standings,
      appeals,
      disputes,
      facts,
      claimNonce: async (claim) => this.nonces.claim(claim),
      hold: (subject) => this.hold(subject),
      meet: (identity) => this.meet(identity),
      saveAccepted: async ({ standing, force, record }) => {
        await standings.save(standing);
        await records.changeForce(record.subject, force);
        await records.dropExpired(record.subject, standing.change.next.updatedAt);
        await records.keep(record);
      },
    };
  }

  together<T>(work: (books: TogetherBooks) => Promise<T>): Promise<T> {
    return this.transaction(({ facts }) => work(this.togetherBooks(facts)));
  }

  private togetherBooks(facts: FactBook): TogetherBooks {
    const { records, standings } = this;
    return {
      facts,
      keepEquivocation: (identity) => records.keepEquivocation(identity),
      meet: async (refs, nonces) => {
        const written = nonces.filter((claim) => this.nonces.claim(claim));
        const subjects = await Promise.all(refs.map(async (ref) => [ref.uuid, await this.consents.holdSubjectOf(ref)] as const));
        const held = await Promise.all(subjects.map(async ([ref, subject]) => [ref, subject && (await this.hold(subject.id))] as const));
        const byRef = new Map(held.flatMap(([ref, one]) => (one ? [[ref, one]] : [])));
        return { held: byRef, replayed: replayedAmong(nonces, written) };
      },
      holdDue: async (due) => {
        const held = await Promise.all(due.map((id) => this.hold(id)));
        return { held: held.filter((one) => one !== undefined), marked: new Set() };
      },
      // There are no batches here: each record is judged as it comes.
      sinceVersion: async () => new Set(),
      taken: async (identities) => records.taken(identities),
      claim: async (identities) => {
        for (const identity of identities) if ((await records.claim(identity)).outcome !== 'claimed') throw new NameTaken();
      },
      saveJudged: async (savings, added) => {
        for (const saving of savings) {
          await standings.save(saving);
          await records.dropExpired(saving.change.next.subject, saving.change.next.updatedAt);
        }
        for (const { record, inForce } of added) {
          await records.keep(record);
          await records.changeForce(record.subject, { added: inForce });
        }
      },
      receipts: async (names) => {
        const found = await Promise.all(names.map(async ({ iss, jti }) => [nameOf({ iss, jti }), await records.find(iss, jti)] as const));
        return new Map(found.flatMap(([name, record]) => (record?.receipt ? [[name, record.receipt] as const] : [])));
      },
    };
  }

  private async hold(id: ShardedId): Promise<HeldSubject | undefined> {
    const subject = await this.consents.holdSubject(id);
    const standing = this.standings.all.get(id.uuid);
    if (!subject || !standing) return undefined;
    const [links, inForce] = await Promise.all([this.consents.linksOf(id), this.records.inForce(id)]);
    return { subject, links, inForce, standing, ladder: this.ladder };
  }

  private async meet(identity: RecordIdentity) {
    const claim = await this.records.claim(identity);
    if (claim.outcome !== 'claimed') return { claim, held: undefined };
    const subject = await this.consents.holdSubjectOf(identity.ref);
    return { claim, held: subject && (await this.hold(subject.id)) };
  }

  async ofSubject({ uuid }: ShardedId): Promise<RestrictionHistory[] | undefined> {
    if (!this.standings.all.has(uuid)) return undefined;
    const own = this.standings.history.filter(({ subject }) => subject === uuid).reverse();
    return own.map(({ subject: _, ...one }) => ({ ...one, appeal: this.appeals.find(uuid, one.restriction.id) }));
  }

  async openAppeals(countMax: number): Promise<Appeal[]> {
    return this.appeals.open().slice(0, countMax);
  }

  async appealsToRemind(at: Date, countMax: number): Promise<Appeal[]> {
    return (await this.openAppeals(countMax)).filter(({ remindAt, remindedAt }) => !remindedAt && remindAt <= at);
  }

  async waitingOrders(countMax: number): Promise<OrderRequest[]> {
    return this.appeals.waiting().slice(0, countMax);
  }

  async openRetractions(countMax: number): Promise<OpenRetraction[]> {
    const open = this.standings.events.filter(({ kind, acked }) => kind === 'restriction.lifted' && !acked);
    return open.slice(0, countMax).map((event) => ({
      event: event.id,
      participant: event.participant,
      subject: {
        shard: event.origin.shard,
        uuid: this.standings.history.find(({ restriction }) => restriction.id === event.restriction)!.subject,
      },
      restriction: event.restriction!,
      since: event.origin.at,
      failures: event.failures ?? 0,
    }));
  }

  async due(at: Date, countMax: number): Promise<ShardedId[]> {
    const due = [...this.standings.all.values()].filter(({ nextChangeAt }) => nextChangeAt && nextChangeAt <= at);
    return due.slice(0, countMax).map(({ subject }) => subject);
  }

  async load(subjects: readonly ShardedId[]): Promise<(Standing | undefined)[]> {
    return subjects.map(({ uuid }) => {
      const known = this.standings.all.get(uuid);
      if (!known) return undefined;
      const { subject, kind, version, score, factors, disputes } = known;
      const isDisputed = ({ cause }: ImposedRestriction) => cause !== undefined && findDisputed(disputes, cause) !== undefined;
      const restrictions = known.restrictions.map((one) => (isDisputed(one) ? { ...one, disputed: true as const } : one));
      return { subject, kind, version, score, factors, restrictions };
    });
  }

  /** As a disclosure does: what a bank reads is a fact. */
  async readRating(subject: ShardedId, { uuid: ref }: ShardedId, participant: string): Promise<void> {
    const body = { purpose: 'test' };
    const [place] = await this.facts.append([{ shard: subject.shard, kind: 'rating.disclosed', subject: subject.uuid, participant, body }]);
    this.disputes.readers = [...this.disputes.readers, { subject: subject.uuid, ref, seq: place!.seq }];
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

type KeptRestriction = Omit<RestrictionHistory, 'appeal'> & { readonly subject: string };

class MemoryStandingBook implements StandingBook {
  all = new Map<string, KnownStanding>();
  events: QueuedEvent[] = [];
  history: KeptRestriction[] = [];

  snapshot(): () => void {
    const { all, events, history } = this;
    this.all = new Map(all);
    return () => void Object.assign(this, { all, events, history });
  }

  async add(standing: KnownStanding): Promise<void> {
    this.all.set(standing.subject.uuid, standing);
  }

  async save({ change: { next, imposed, lifted }, events }: StandingSaving): Promise<void> {
    const subject = next.subject.uuid;
    this.all.set(subject, next);
    const kept = this.history.map((one) => {
      const why = lifted.find(({ restriction }) => restriction.id === one.restriction.id)?.why;
      return why ? { ...one, liftedAt: next.updatedAt, liftedWhy: why } : one;
    });
    this.history = [...kept, ...imposed.map((restriction) => ({ restriction, subject }))];
    await this.addEvents(events);
  }

  async addEvents(events: readonly StoredEvent[]): Promise<void> {
    this.events = [...this.events, ...events];
  }
}

class MemoryNonces {
  private used: readonly NonceClaim[] = [];

  snapshot(): () => void {
    const { used } = this;
    return () => void Object.assign(this, { used });
  }

  claim(claim: NonceClaim): boolean {
    if (this.used.some(({ participant, nonce }) => participant === claim.participant && nonce === claim.nonce)) return false;
    this.used = [...this.used, claim];
    return true;
  }
}

class MemoryFactBook implements FactBook {
  readonly at = new Date('2026-11-21T08:00:00.000Z');
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
      return { shard, seq, at: this.at };
    });
  }
}
