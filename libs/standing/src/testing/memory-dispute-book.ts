import type { ShardedId } from '#kernel';
import { type Dispute, nextRing } from '#records';
import { BUILT_IN_DISPUTES, type DisputePolicy } from '../dispute/dispute-policy.js';
import type { AnswerEvidence, DisputeBook } from '../dispute/dispute-store.js';
import type { StoredEvent } from '../event.js';
import { type Chain, type ImposedRestriction, isSameChain } from '../imposed.js';

interface Shelf {
  readonly history: readonly { readonly subject: string; readonly restriction: ImposedRestriction }[];
  readonly events: readonly { readonly id: string; readonly acked?: boolean }[];
}

/** Disputes in memory. Whoever uses it runs one transaction at a time. */
export class MemoryDisputeBook implements DisputeBook {
  terms: DisputePolicy = BUILT_IN_DISPUTES;
  answers: readonly AnswerEvidence[] = [];
  /** Banks that read the rating: links by the subject. */
  readers: readonly { readonly subject: string; readonly ref: string; readonly seq: bigint }[] = [];
  private disputes: readonly Dispute[] = [];
  private notices: readonly { readonly dispute: string; readonly event: string }[] = [];

  constructor(private readonly shelf: Shelf) {}

  snapshot(): () => void {
    const { disputes, notices, answers } = this;
    return () => void Object.assign(this, { disputes, notices, answers });
  }

  async find({ uuid }: ShardedId): Promise<Dispute | undefined> {
    return this.disputes.find(({ id }) => id === uuid);
  }

  async byKey({ uuid }: ShardedId, caller: string, key: string): Promise<Dispute | undefined> {
    return this.disputes.find((one) => one.subject.uuid === uuid && one.caller === caller && one.key === key);
  }

  async ofChain({ uuid }: ShardedId, chain: Chain): Promise<Dispute[]> {
    return this.disputes.filter(({ subject, record }) => subject.uuid === uuid && isSameChain(record, chain));
  }

  async policy(): Promise<DisputePolicy> {
    return this.terms;
  }

  async save(dispute: Dispute): Promise<void> {
    const known = this.disputes.some(({ id }) => id === dispute.id);
    this.disputes = known ? this.disputes.map((one) => (one.id === dispute.id ? dispute : one)) : [...this.disputes, dispute];
  }

  async keepAnswer(_: Dispute, evidence: AnswerEvidence): Promise<void> {
    this.answers = [...this.answers, evidence];
  }

  async recipients({ uuid }: ShardedId, chain: Chain, sinceSeq: bigint): Promise<string[]> {
    const imposed = this.shelf.history.filter(({ subject, restriction }) => subject === uuid && isSameChain(restriction.cause, chain));
    const readers = this.readers.filter(({ subject, seq }) => subject === uuid && seq > sinceSeq).map(({ ref }) => ref);
    return [...new Set([...imposed.flatMap(({ restriction }) => restriction.told), ...readers])];
  }

  async keepNotices(_: ShardedId, dispute: string, events: readonly StoredEvent[]): Promise<void> {
    this.notices = [...this.notices, ...events.map(({ id }) => ({ dispute, event: id }))];
  }

  async isHeard(_: ShardedId, dispute: string): Promise<boolean> {
    const own = this.notices.filter((one) => one.dispute === dispute);
    return own.every(({ event }) => this.shelf.events.find(({ id }) => id === event)?.acked);
  }

  async due(at: Date, countMax: number): Promise<{ readonly id: ShardedId; readonly at: Date }[]> {
    const due = this.disputes.filter((one) => (nextRing(one)?.at ?? new Date(8e15)) <= at);
    return due.slice(0, countMax).map(({ id, subject }) => ({ id: { shard: subject.shard, uuid: id }, at }));
  }
}
