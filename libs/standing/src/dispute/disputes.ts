import { type Clock, eachAlone, invariant, Refusal, type ShardedId } from '#kernel';
import {
  addInformation,
  answerDispute,
  closeDispute,
  type Dispute,
  type DisputeAnswer,
  type DisputedName,
  type DisputeWish,
  openDispute,
  repeatDispute,
  ringDispute,
} from '#records';
import type { Happening } from '../event.js';
import type { Clerk } from '../notary.js';
import type { Books, Exchange, HeldSubject } from '../store.js';
import { deadlinesFrom, extendedDeadlines, resultBy, treatmentOf } from './dispute-policy.js';
import type { AnswerEvidence, DisputeReader } from './dispute-store.js';
import { disputedRecord } from './disputed-record.js';
import { endDispute, saveDisputeChange } from './save-dispute.js';
import { tellDueSoon, tellExtended, tellOpened } from './tell-dispute.js';

const ringsPerRunMax = 200;

export interface Disputed {
  readonly dispute: Dispute;
  readonly repeated: boolean;
}

/** Disputes of records: opened, extended, answered, and ended by their clock. Every call may be repeated; each is one transaction. */
export class Disputes {
  constructor(
    private readonly exchange: Exchange,
    private readonly clerk: Clerk,
    private readonly clock: Clock,
  ) {}

  /**
   * When this answers, every answer that uses the record says so. Refuses 404 `subject.unknown`, `record.unknown`, 409 `record.not_in_force`, and what
   * `openDispute` and `repeatDispute` refuse.
   */
  async open(subject: ShardedId, wish: DisputeWish): Promise<Disputed> {
    return await this.exchange.transaction(async (books) => {
      const held = await hold(books, subject);
      const before = wish.key === undefined ? undefined : await books.disputes.byKey(subject, wish.caller, wish.key);
      if (before) return { dispute: repeatDispute(before, wish), repeated: true };
      const at = timeOf(held, this.clock.now());
      const record = await nameOf(books, held, wish.record, at);
      const earlier = await books.disputes.ofChain(subject, record);
      const open = earlier.find(({ state }) => state !== 'CLOSED');
      if (open && isSameFlag(open, wish)) return { dispute: open, repeated: true };
      const policy = await books.disputes.policy(subject.shard);
      const terms = { id: this.clerk.uuid(at), subject, at, treatment: treatmentOf(policy), ...deadlinesFrom(at, policy) };
      const { dispute, fact } = openDispute(wish, record, earlier, terms);
      const telling = { links: held.links, clerk: this.clerk };
      const opened = tellOpened(dispute, fact, telling);
      const disputes = [...held.standing.disputes, disputedRecord(dispute)];
      const change = { furnisher: record.iss, happenings: [opened] as const, disputes, force: {} };
      const { placeOf, events } = await saveDisputeChange(books, held, change, { at, why: 'DISPUTED' }, this.clerk);
      const kept: Dispute = { ...dispute, openedSeq: placeOf(opened).seq };
      await books.disputes.save(kept);
      await books.disputes.keepNotices(subject, kept.id, events);
      return { dispute: kept, repeated: false };
    });
  }

  /** What the subject adds. Refuses 404 `dispute.unknown` and what `addInformation` refuses. */
  async add(id: ShardedId, statementDigest: string): Promise<Disputed> {
    return await this.exchange.transaction(async (books) => {
      const { held, dispute } = await holdDispute(books, id);
      const at = timeOf(held, this.clock.now());
      const policy = await books.disputes.policy(id.shard);
      const step = addInformation(dispute, statementDigest, extendedDeadlines(dispute.openedAt, policy), at);
      if (!step) return { dispute, repeated: true };
      const extended = tellExtended(step, { links: held.links, clerk: this.clerk });
      await this.goOn(books, held, extended, step.dispute, at);
      return { dispute: step.dispute, repeated: false };
    });
  }

  /** The furnisher's answer; another participant's dispute is as unknown as none. Refuses 404 `dispute.unknown` and what `answerDispute` refuses. */
  async answer(furnisher: string, id: ShardedId, answer: DisputeAnswer, evidence: AnswerEvidence): Promise<Disputed> {
    return await this.exchange.transaction(async (books) => {
      const { held, dispute } = await holdDispute(books, id, furnisher);
      const at = timeOf(held, this.clock.now());
      const named = answer.answer === 'VERIFIED' || answer.record === undefined ? undefined : answer.record;
      const isNamedHere = named !== undefined && (await books.records.find(furnisher, named)) !== undefined;
      const answered = answerDispute(dispute, answer, isNamedHere, at);
      if (answered.kind === 'repeated') return { dispute, repeated: true };
      await books.disputes.keepAnswer(answered.dispute, evidence);
      const first: Happening = { fact: answered.fact, notices: [] };
      if (answered.kind === 'waits') {
        await this.goOn(books, held, first, answered.dispute, at);
        return { dispute: answered.dispute, repeated: false };
      }
      const policy = await books.disputes.policy(id.shard);
      const step = closeDispute(answered.dispute, answered.outcome, resultBy(at, policy), at);
      return { dispute: await endDispute(books, held, step, { first, at, clerk: this.clerk }), repeated: false };
    });
  }

  /** Rings the clocks that are due; a sweep calls it until it answers 0. Two at once, or one that died, ring each clock once. */
  async ring(reader: DisputeReader): Promise<number> {
    const due = await reader.due(this.clock.now(), ringsPerRunMax);
    await eachAlone(due, ({ id, at }) => this.exchange.transaction((books) => this.ringOne(books, id, at)));
    return due.length;
  }

  private async ringOne(books: Books, id: ShardedId, now: Date): Promise<void> {
    const { held, dispute } = await holdDispute(books, id);
    const at = timeOf(held, now);
    // Another process may have been here between the question and the hold.
    const rung = ringDispute(dispute, await books.disputes.isHeard(dispute.subject, dispute.id), at);
    if (!rung) return;
    if (rung.clock === 'DUE') {
      const step = closeDispute(rung.dispute, 'SILENT', resultBy(at, await books.disputes.policy(id.shard)), at);
      await endDispute(books, held, step, { at, clerk: this.clerk });
      return;
    }
    if (!rung.fact) return void (await books.disputes.save(rung.dispute));
    const telling = { links: held.links, clerk: this.clerk };
    const happening = rung.clock === 'DUE_SOON' ? tellDueSoon(rung.dispute, rung.fact, telling) : { fact: rung.fact, notices: [] };
    await this.goOn(books, held, happening, rung.dispute, at);
  }

  /** Something happened to a dispute that goes on: the record counts as before. */
  private async goOn(books: Books, held: HeldSubject, happening: Happening, dispute: Dispute, at: Date): Promise<void> {
    const { iss: furnisher } = dispute.record;
    const change = { furnisher, happenings: [happening] as const, disputes: held.standing.disputes, force: {} };
    const { events } = await saveDisputeChange(books, held, change, { at, why: 'ENDED' }, this.clerk);
    await books.disputes.save(dispute);
    await books.disputes.keepNotices(dispute.subject, dispute.id, events);
  }
}

async function hold(books: Books, subject: ShardedId): Promise<HeldSubject> {
  const held = await books.hold(subject);
  if (!held) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
  return held;
}

/** Finds whose it is, holds that subject, and reads it again. */
async function holdDispute(books: Books, id: ShardedId, furnisher?: string): Promise<{ held: HeldSubject; dispute: Dispute }> {
  const found = await books.disputes.find(id);
  if (!found || (furnisher !== undefined && found.record.iss !== furnisher)) throw disputeUnknown();
  const held = await hold(books, found.subject);
  const dispute = await books.disputes.find(id);
  invariant(dispute, 'a dispute is never removed');
  return { held, dispute };
}

export function disputeUnknown(): Refusal {
  return new Refusal('not_found', 'dispute.unknown', 'there is no dispute of this id');
}

/** A subject's own time never runs backwards, whatever a clock says. */
function timeOf({ standing }: HeldSubject, now: Date): Date {
  return now > standing.updatedAt ? now : standing.updatedAt;
}

async function nameOf({ records }: Books, { subject, inForce }: HeldSubject, wish: DisputeWish['record'], at: Date): Promise<DisputedName> {
  const stored = await records.find(wish.iss, wish.jti);
  if (stored?.subject.uuid !== subject.id.uuid) {
    throw new Refusal('not_found', 'record.unknown', 'there is no such record about this subject', { field: '/record' });
  }
  const found = inForce.find((one) => one.iss === wish.iss && one.jti === wish.jti && one.validUntil > at);
  if (!found)
    throw new Refusal('conflict', 'record.not_in_force', 'this record was corrected, withdrawn or cleared, or is past its validity');
  const { iss, jti, rootJti, body } = found;
  return { iss, jti, rootJti, kind: body.kind, ref: stored.ref.uuid, factSeq: stored.factSeq };
}

/** A furnisher that flags its own record twice means one dispute: it has no keys to repeat itself by. */
function isSameFlag({ openedBy, caller, code, statementDigest, record }: Dispute, wish: DisputeWish): boolean {
  const isSame = code === wish.code && statementDigest === wish.statementDigest;
  return openedBy === 'FURNISHER' && wish.openedBy === 'FURNISHER' && caller === wish.caller && record.jti === wish.record.jti && isSame;
}
