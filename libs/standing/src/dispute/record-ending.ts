import type { CreditRecord } from '#contract';
import type { FactPosition } from '#kernel';
import { closeByRecord, type Dispute, type ForceChange } from '#records';
import type { Happening, Notice, StoredEvent } from '../event.js';
import { isSameChain } from '../imposed.js';
import type { Clerk } from '../notary.js';
import type { Judgement } from '../save-change.js';
import type { Books, HeldSubject } from '../store.js';
import { resultBy } from './dispute-policy.js';
import type { DisputedRecord } from './disputed-record.js';
import { ofDisputes } from './save-dispute.js';
import { noticesOfEnd, tellClosed } from './tell-dispute.js';

/** What a correction or withdrawal leads to beside its effect: who hears of it, and the dispute that it answers. */
export interface RecordEnding {
  /** To the banks that received something on which the record bore; they go with the fact of the record that ends it. */
  readonly notices: readonly Notice[];
  /** Still open afterwards; undefined: as before. */
  readonly disputes: readonly DisputedRecord[] | undefined;
  /** What happens after the standing was judged. */
  after(judgement: Judgement): Judgement;
  /** Saves the dispute that is closed; after the record is kept. */
  save(positions: readonly FactPosition[], events: readonly StoredEvent[]): Promise<void>;
}

/**
 * A furnisher may correct or withdraw what it said whether somebody disputed it or not: everybody who received it hears of it, and a dispute of
 * the record is closed by it. Undefined for records that end nothing of the kind; these ask the database nothing more.
 */
export async function recordEnding(
  books: Books,
  held: HeldSubject,
  { kind, jti }: CreditRecord,
  { removed }: ForceChange,
  at: Date,
  clerk: Clerk,
): Promise<RecordEnding | undefined> {
  if (!removed || (kind !== 'correction' && kind !== 'withdrawal')) return undefined;
  const { subject, links, standing } = held;
  const telling = { links, clerk };
  const dispute = await openDisputeOf(books, held, removed);
  const recipients = await books.disputes.recipients(subject.id, removed, await firstSeq(books, removed.iss, removed.rootJti));
  const notices = noticesOfEnd(removed, kind === 'correction' ? 'record.corrected' : 'record.withdrawn', recipients, at, telling);
  if (!dispute) return { notices, disputes: undefined, after: (judgement) => judgement, save: async () => undefined };
  const time = at > standing.updatedAt ? at : standing.updatedAt;
  const step = closeByRecord(dispute, { kind, jti }, resultBy(time, await books.disputes.policy(subject.id.shard)), time);
  const closing: Happening = tellClosed(step, recipients, telling);
  return {
    notices,
    disputes: standing.disputes.filter((one) => one.dispute !== dispute.id),
    after: (judgement) => ({ ...judgement, happenings: [...judgement.happenings, closing] }),
    save: async (positions, events) => {
      await books.disputes.save({ ...step.dispute, closedSeq: positions.at(-1)!.seq });
      await books.disputes.keepNotices(subject.id, dispute.id, ofDisputes(events));
    },
  };
}

async function openDisputeOf({ disputes }: Books, { subject, standing }: HeldSubject, removed: { iss: string; rootJti: string }) {
  const known = standing.disputes.find((one) => isSameChain(one, removed));
  if (!known) return undefined;
  const dispute: Dispute | undefined = await disputes.find({ shard: subject.id.shard, uuid: known.dispute });
  return dispute?.state === 'CLOSED' ? undefined : dispute;
}

/** The place of the first record of a chain of corrections. */
async function firstSeq({ records }: Books, iss: string, rootJti: string): Promise<bigint> {
  return (await records.find(iss, rootJti))?.factSeq ?? 0n;
}
