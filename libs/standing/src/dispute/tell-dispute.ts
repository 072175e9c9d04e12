import type { Link } from '#consents';
import type { EventKind } from '#contract';
import type { Fact } from '#kernel';
import { type Dispute, disputeFact, disputeId, type DisputeOutcome, type DisputeStep } from '#records';
import { dayOf, type Happening, type Notice } from '../event.js';
import type { Chain } from '../imposed.js';
import { type Clerk, pairwiseName } from '../notary.js';

/** Who may be told, and how things are named to them. */
export interface DisputeTelling {
  readonly links: readonly Link[];
  readonly clerk: Clerk;
}

/** The furnisher hears that its record is disputed, why, and until when it answers; never what the subject wrote. */
export function tellOpened(dispute: Omit<Dispute, 'openedSeq'>, fact: Fact, { links }: DisputeTelling): Happening {
  const { code, openedBy, statementDigest, dueAt } = dispute;
  const body = { ...nameOf(dispute), code, openedBy, ...(statementDigest ? { statementDigest } : {}), dueAt: dueAt.toISOString() };
  return { fact, notices: toFurnisher(dispute, links, 'dispute.opened', body) };
}

export function tellExtended({ dispute, fact }: DisputeStep, { links }: DisputeTelling): Happening {
  const body = { ...nameOf(dispute), statementDigest: dispute.added!.statementDigest, dueAt: dispute.dueAt.toISOString() };
  return { fact, notices: toFurnisher(dispute, links, 'dispute.extended', body) };
}

export function tellDueSoon(dispute: Dispute, fact: Fact, { links }: DisputeTelling): Happening {
  return { fact, notices: toFurnisher(dispute, links, 'dispute.due_soon', { ...nameOf(dispute), dueAt: dispute.dueAt.toISOString() }) };
}

/** How it ended: to the furnisher by its own names, to the other recipients by names that nobody else has. Who the furnisher is, they do not hear. */
export function tellClosed({ dispute, fact }: DisputeStep, recipients: readonly string[], telling: DisputeTelling): Happening {
  const { links, clerk } = telling;
  const closedAt = dispute.closedAt!.toISOString();
  const own = toFurnisher(dispute, links, 'dispute.closed', { ...nameOf(dispute), outcome: dispute.outcome!, closedAt });
  const others = othersOf(dispute.record, recipients, links).map((link): Notice => {
    const { ref, participant } = link;
    const body = {
      dispute: pairwiseName(clerk, dispute.id, ref.uuid),
      record: pairwiseName(clerk, dispute.record.rootJti, ref.uuid),
      outcome: told(dispute.outcome!),
      on: dayOf(dispute.closedAt!),
    };
    return { participant, ref, kind: 'dispute.closed', body };
  });
  return { fact, notices: [...own, ...others] };
}

/** That a furnisher was silent is between it and the platform. */
function told(outcome: DisputeOutcome): DisputeOutcome {
  return outcome === 'SILENT' ? 'WITHDRAWN' : outcome;
}

/** A record that ended because its dispute did, with no record of the furnisher's that says so. */
export function tellRemoved(dispute: Dispute, recipients: readonly string[], at: Date, telling: DisputeTelling): Happening {
  const fact = disputeFact('record.removed', dispute, { why: dispute.outcome! });
  return { fact, notices: noticesOfEnd(dispute.record, 'record.withdrawn', recipients, at, telling) };
}

/** Every bank that received something on which the record bore hears that it is corrected or withdrawn; the furnisher knows. */
export function noticesOfEnd(
  chain: Chain,
  kind: 'record.corrected' | 'record.withdrawn',
  recipients: readonly string[],
  at: Date,
  { links, clerk }: DisputeTelling,
): Notice[] {
  return othersOf(chain, recipients, links).map(({ participant, ref }) => ({
    participant,
    ref,
    kind,
    body: { record: pairwiseName(clerk, chain.rootJti, ref.uuid), on: dayOf(at) },
  }));
}

function nameOf(dispute: Pick<Dispute, 'id' | 'subject' | 'record'>) {
  return { dispute: disputeId(dispute), record: dispute.record.jti };
}

function toFurnisher(
  { record }: Pick<Dispute, 'record'>,
  links: readonly Link[],
  kind: EventKind,
  body: Notice['body'],
): readonly Notice[] {
  const link = links.find(({ ref }) => ref.uuid === record.ref);
  return link ? [{ participant: record.iss, ref: link.ref, kind, body }] : [];
}

/** One link for each bank, its latest: an event is told once. */
function othersOf({ iss }: Chain, recipients: readonly string[], links: readonly Link[]): Link[] {
  const byBank = new Map<string, Link>();
  for (const link of links) if (link.participant !== iss && recipients.includes(link.ref.uuid)) byBank.set(link.participant, link);
  return [...byBank.values()];
}
