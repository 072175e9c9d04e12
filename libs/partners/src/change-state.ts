import { Refusal } from '#kernel';
import { changed, type Participant, type ParticipantChange, participantFact, type ParticipantState } from './participant.js';

/** A proposal to close counts for a week. */
const closingLifeMs = 7 * 86_400_000;

/** From where one may go where. Closed is the end. */
const TRANSITIONS: Readonly<Record<ParticipantState, readonly ParticipantState[]>> = {
  INVITED: ['ENROLLED', 'CLOSED'],
  ENROLLED: ['ACTIVE', 'CLOSED'],
  ACTIVE: ['SUSPENDED'],
  SUSPENDED: ['ACTIVE', 'CLOSED'],
  CLOSED: [],
};

const KINDS: Readonly<Record<ParticipantState, string>> = {
  INVITED: 'participant.invited',
  ENROLLED: 'participant.enrolled',
  ACTIVE: 'participant.activated',
  SUSPENDED: 'participant.suspended',
  CLOSED: 'participant.closed',
};

/** Moves a participant to another state, for a reason, by somebody. Refuses `participant.transition` where the contract has no such arrow. */
export function changeState(known: Participant, state: ParticipantState, reason: string, by: string, at: Date): ParticipantChange {
  refuseTransition(known, state);
  const fact = participantFact(known.id, KINDS[state], { from: known.state, reason, by });
  return { next: without(changed(known, at, { state, stateReason: reason }), 'suspension', 'closing'), facts: [fact] };
}

export const activate = (known: Participant, reason: string, by: string, at: Date) => changeState(known, 'ACTIVE', reason, by, at);
export const suspend = (known: Participant, reason: string, by: string, at: Date) => changeState(known, 'SUSPENDED', reason, by, at);

/** Sets a suspension for a time ahead; a later word replaces it. Refuses `participant.transition`, `participant.suspension_past`. */
export function scheduleSuspension(known: Participant, from: Date, reason: string, by: string, at: Date): ParticipantChange {
  refuseTransition(known, 'SUSPENDED');
  if (from <= at) throw new Refusal('unprocessable', 'participant.suspension_past', 'this time is past: suspend at once instead');
  const fact = participantFact(known.id, 'participant.suspension_scheduled', { from: from.toISOString(), reason, by });
  return { next: changed(known, at, { suspension: { from, reason } }), facts: [fact] };
}

/** Refuses `participant.suspension_none`. */
export function cancelSuspension(known: Participant, by: string, at: Date): ParticipantChange {
  if (!known.suspension) throw new Refusal('conflict', 'participant.suspension_none', `no suspension of ${known.id} is scheduled`);
  const fact = participantFact(known.id, 'participant.suspension_cancelled', { by });
  return { next: without(changed(known, at, {}), 'suspension'), facts: [fact] };
}

/** True from the scheduled moment on, also where nobody has written it down yet. */
export function suspensionDue({ state, suspension }: Participant, at: Date): boolean {
  return state === 'ACTIVE' && suspension !== undefined && suspension.from <= at;
}

/**
 * The first of the two persons that closing needs. Whoever works must be suspended first. Refuses `participant.transition` and
 * `closing.proposed` while another proposal waits.
 */
export function proposeClosing(known: Participant, reason: string, by: string, at: Date): ParticipantChange {
  refuseTransition(known, 'CLOSED');
  if (known.closing && !isOver(known.closing, at)) {
    throw new Refusal('conflict', 'closing.proposed', 'a proposal to close it waits already: confirm or withdraw that one');
  }
  const fact = participantFact(known.id, 'participant.closing_proposed', { reason, by });
  return { next: changed(known, at, { closing: { by, reason, at } }), facts: [fact] };
}

/** The second person. Refuses `participant.transition`, `closing.not_proposed`, and 403 `closing.same_person`. */
export function confirmClosing(known: Participant, by: string, at: Date): ParticipantChange {
  refuseTransition(known, 'CLOSED');
  const { closing } = known;
  if (!closing || isOver(closing, at)) {
    throw new Refusal('conflict', 'closing.not_proposed', 'nobody proposed to close it within the last seven days');
  }
  if (closing.by === by) throw new Refusal('forbidden', 'closing.same_person', 'closing needs two persons: somebody else must confirm');
  const change = changeState(known, 'CLOSED', closing.reason, by, at);
  const [{ body }] = change.facts;
  return { ...change, facts: [participantFact(known.id, KINDS.CLOSED, { ...body, proposedBy: closing.by })] };
}

/** Either person may think better of it. Refuses `closing.not_proposed`. */
export function withdrawClosing(known: Participant, by: string, at: Date): ParticipantChange {
  if (!known.closing) throw new Refusal('conflict', 'closing.not_proposed', 'nobody proposed to close it');
  const fact = participantFact(known.id, 'participant.closing_withdrawn', { by });
  return { next: without(changed(known, at, {}), 'closing'), facts: [fact] };
}

function refuseTransition(known: Participant, state: ParticipantState): void {
  if (TRANSITIONS[known.state].includes(state)) return;
  throw new Refusal('conflict', 'participant.transition', `${known.id} is ${known.state} and cannot become ${state}`);
}

function isOver(closing: NonNullable<Participant['closing']>, at: Date): boolean {
  return at.getTime() - closing.at.getTime() > closingLifeMs;
}

function without(known: Participant, ...names: ('suspension' | 'closing')[]): Participant {
  const { suspension, closing, ...rest } = known;
  return {
    ...rest,
    ...(suspension && !names.includes('suspension') ? { suspension } : {}),
    ...(closing && !names.includes('closing') ? { closing } : {}),
  };
}
