import type { FactPosition } from '#kernel';
import type { Dispute, DisputeStep, ForceChange, RecordInForce } from '#records';
import type { Happening, StoredEvent } from '../event.js';
import { isSameChain } from '../imposed.js';
import type { Clerk } from '../notary.js';
import { appendChange, judge, type Occasion } from '../save-change.js';
import type { Books, HeldSubject } from '../store.js';
import type { DisputedRecord } from './disputed-record.js';
import { tellClosed, tellRemoved } from './tell-dispute.js';

/** A subject judged anew because a dispute began, went on or ended. */
export interface DisputeChange {
  /** Of the record; what becomes of that is no news to it. */
  readonly furnisher: string;
  readonly happenings: readonly [Happening, ...Happening[]];
  /** Afterwards. */
  readonly disputes: readonly DisputedRecord[];
  readonly force: ForceChange;
}

export interface SavedChange {
  /** The place of a happening's fact. */
  placeOf(happening: Happening): FactPosition;
  readonly events: readonly StoredEvent[];
}

/** Judges the subject, appends the facts, and saves what they explain; the dispute's own row is the caller's to save. */
export async function saveDisputeChange(
  books: Books,
  held: HeldSubject,
  { furnisher, happenings: [first, ...rest], disputes, force }: DisputeChange,
  { at, why }: Pick<Occasion, 'at' | 'why'>,
  clerk: Clerk,
): Promise<SavedChange> {
  const { subject, standing, links, inForce, ladder } = held;
  const occasion: Occasion = { at, why, ladder, untold: [furnisher] };
  const records = inForce.filter((record) => record !== force.removed);
  const judgement = judge(standing, { records, links, disputes }, occasion, clerk);
  const all = [first, ...judgement.happenings, ...rest];
  const { positions, saving } = await appendChange(books, first, { ...judgement, happenings: all.slice(1) }, occasion, clerk);
  await books.standings.save(saving);
  if (force.removed) await books.records.changeForce(subject.id, force);
  return { placeOf: (happening) => positions[all.indexOf(happening)]!, events: ofDisputes(saving.events) };
}

/** The events that tell of a dispute or of a record's end. */
export function ofDisputes(events: readonly StoredEvent[]): StoredEvent[] {
  return events.filter(({ kind }) => kind.startsWith('dispute.') || kind.startsWith('record.'));
}

/** The record that is disputed now: a correction of it would have closed the dispute. */
function findInForce({ inForce }: HeldSubject, { record }: Pick<Dispute, 'record'>): RecordInForce | undefined {
  return inForce.find((one) => isSameChain(one, record));
}

function withoutDispute({ standing }: HeldSubject, { id }: Pick<Dispute, 'id'>): DisputedRecord[] {
  return standing.disputes.filter(({ dispute }) => dispute !== id);
}

/** Ends a dispute: the record counts again, or is gone, and everybody who received it hears so. `first` happened before. */
export async function endDispute(
  books: Books,
  held: HeldSubject,
  { dispute, fact }: DisputeStep,
  { first, at, clerk }: { readonly first?: Happening; readonly at: Date; readonly clerk: Clerk },
): Promise<Dispute> {
  const recipients = await books.disputes.recipients(dispute.subject, dispute.record, dispute.record.factSeq);
  const telling = { links: held.links, clerk };
  const closing = tellClosed({ dispute, fact }, recipients, telling);
  const isKept = dispute.outcome === 'VERIFIED';
  const removed = isKept ? undefined : findInForce(held, dispute);
  const ended = isKept ? [] : [tellRemoved(dispute, recipients, at, telling)];
  const happenings: readonly [Happening, ...Happening[]] = first ? [first, closing, ...ended] : [closing, ...ended];
  const { iss: furnisher } = dispute.record;
  const change = { furnisher, happenings, disputes: withoutDispute(held, dispute), force: removed ? { removed } : {} };
  const { placeOf, events } = await saveDisputeChange(books, held, change, { at, why: 'WITHDRAWN' }, clerk);
  const closed = { ...dispute, closedSeq: placeOf(closing).seq };
  await books.disputes.save(closed);
  await books.disputes.keepNotices(dispute.subject, dispute.id, events);
  return closed;
}
