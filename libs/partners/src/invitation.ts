import { Refusal } from '#kernel';
import { changed, newParticipant, type Participant, type ParticipantChange, participantFact } from './participant.js';

/** A single-use secret that lets one organisation enrol. Only its digest is kept; the operator sees the secret once. */
export interface Invitation {
  /** SHA-256 of the secret, base64url. */
  readonly digest: string;
  readonly participant: string;
  readonly invitedBy: string;
  /** Whoever enrols with it is ACTIVE at once. */
  readonly activate: boolean;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly usedAt?: Date;
  /** A later invitation took its place, or an operator took it back. */
  readonly withdrawnAt?: Date;
}

export interface InvitationWish {
  readonly participant: string;
  /** Needed where the participant is not known yet. */
  readonly name?: string;
  readonly ttlMs: number;
  readonly activate: boolean;
  readonly by: string;
}

const invitationTtlMsMin = 60_000;
const invitationTtlMsMax = 30 * 86_400_000;
/** For so long whoever used an invitation may come back for the answer. */
const answerLifeMs = 7 * 86_400_000;

/** The participant as invited: a newcomer is INVITED, whoever is known may enrol anew. Refuses `invitation.ttl`, `invitation.name`, `participant.closed`. */
export function inviteParticipant(known: Participant | undefined, wish: InvitationWish, at: Date): ParticipantChange {
  const { participant: id, name, ttlMs, activate, by } = wish;
  if (!(ttlMs >= invitationTtlMsMin && ttlMs <= invitationTtlMsMax)) {
    throw new Refusal('malformed', 'invitation.ttl', 'an invitation is good for a minute to thirty days', { field: 'ttl' });
  }
  if (known?.state === 'CLOSED') throw new Refusal('conflict', 'participant.closed', `${id} is closed: choose another id`);
  if (!known && name === undefined)
    throw new Refusal('malformed', 'invitation.name', `${id} is not known yet: give its name`, { field: 'name' });
  const next = known ? changed(known, at, {}) : newParticipant(id, name!, 'INVITED', at);
  const body = { by, activate, expiresAt: new Date(at.getTime() + ttlMs).toISOString() };
  return { next, facts: [participantFact(id, 'participant.invited', body)] };
}

/** Open invitations that a new one takes the place of. */
export function supersede(invitations: readonly Invitation[], at: Date): Invitation[] {
  return invitations.map((one) => (one.usedAt || one.withdrawnAt ? one : { ...one, withdrawnAt: at }));
}

/**
 * Whether the holder of its secret may still use it, or come back for the answer. The one refusal, 401 `invitation.invalid`, does not tell
 * an unknown invitation from one that ran out.
 */
export function checkInvitation(found: Invitation | undefined, at: Date): Invitation {
  const until = found?.usedAt ? found.usedAt.getTime() + answerLifeMs : found?.expiresAt.getTime();
  if (found && until !== undefined && !found.withdrawnAt && at.getTime() <= until) return found;
  throw new Refusal('unauthenticated', 'invitation.invalid', 'this invitation is not good: ask your contact at the platform for a new one');
}
