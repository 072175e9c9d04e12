import { Refusal } from '#kernel';
import { changed, type Participant, type ParticipantChange, participantFact, type ParticipantState } from './participant.js';

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

/** Moves a participant to another state, for a reason. Refuses `participant.transition` where the contract has no such arrow. */
export function changeState(known: Participant, state: ParticipantState, reason: string, at: Date): ParticipantChange {
  if (!TRANSITIONS[known.state].includes(state)) {
    throw new Refusal('conflict', 'participant.transition', `${known.id} is ${known.state} and cannot become ${state}`);
  }
  const fact = participantFact(known.id, KINDS[state], { from: known.state, reason });
  return { next: changed(known, at, { state, stateReason: reason }), facts: [fact] };
}

export const activate = (known: Participant, reason: string, at: Date) => changeState(known, 'ACTIVE', reason, at);
export const suspend = (known: Participant, reason: string, at: Date) => changeState(known, 'SUSPENDED', reason, at);
export const close = (known: Participant, reason: string, at: Date) => changeState(known, 'CLOSED', reason, at);
