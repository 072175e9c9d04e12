import { type Fact, formatId, invariant, Refusal } from '#kernel';
import { type Consent, type ConsentActor, type ConsentState, stateAt } from './consent.js';
import { type Narrowing, narrowTerms } from './narrow-terms.js';

/** What is done about a consent. LINK_ENDED, EXPIRE and CONSUME follow from something else; the rest somebody asks for. */
export type ConsentAction =
  | { readonly kind: 'GRANT' | 'NARROW'; readonly smaller: Narrowing }
  | { readonly kind: 'REJECT' | 'PAUSE' | 'RESUME' | 'REVOKE' | 'WITHDRAW' | 'LINK_ENDED' | 'EXPIRE' | 'CONSUME' };

/** The name of the fact and of the event. */
export type ConsentHappened =
  | 'consent.requested'
  | 'consent.granted'
  | 'consent.narrowed'
  | 'consent.rejected'
  | 'consent.paused'
  | 'consent.resumed'
  | 'consent.revoked'
  | 'consent.expired'
  | 'consent.consumed';

export interface ConsentChange {
  readonly consent: Consent;
  readonly happened: ConsentHappened;
}

interface Move {
  readonly from: readonly ConsentState[];
  /** Undefined: as it is. */
  readonly to?: ConsentState;
  readonly happened: ConsentHappened;
  readonly by: ConsentActor;
}

const MOVES: Readonly<Record<ConsentAction['kind'], Move>> = {
  GRANT: { from: ['REQUESTED'], to: 'ACTIVE', happened: 'consent.granted', by: 'SUBJECT' },
  NARROW: { from: ['ACTIVE', 'PAUSED'], happened: 'consent.narrowed', by: 'SUBJECT' },
  REJECT: { from: ['REQUESTED'], to: 'REJECTED', happened: 'consent.rejected', by: 'SUBJECT' },
  PAUSE: { from: ['ACTIVE'], to: 'PAUSED', happened: 'consent.paused', by: 'SUBJECT' },
  RESUME: { from: ['PAUSED'], to: 'ACTIVE', happened: 'consent.resumed', by: 'SUBJECT' },
  REVOKE: { from: ['ACTIVE', 'PAUSED'], to: 'REVOKED', happened: 'consent.revoked', by: 'SUBJECT' },
  WITHDRAW: { from: ['REQUESTED', 'ACTIVE', 'PAUSED'], to: 'REVOKED', happened: 'consent.revoked', by: 'RECIPIENT' },
  LINK_ENDED: { from: ['REQUESTED', 'ACTIVE', 'PAUSED'], to: 'REVOKED', happened: 'consent.revoked', by: 'PLATFORM' },
  EXPIRE: { from: ['REQUESTED', 'ACTIVE', 'PAUSED'], to: 'EXPIRED', happened: 'consent.expired', by: 'PLATFORM' },
  CONSUME: { from: ['ACTIVE'], to: 'CONSUMED', happened: 'consent.consumed', by: 'RECIPIENT' },
};

/**
 * What becomes of a held consent; undefined where it is so already, so that every call may be repeated. Refuses 409 `consent.state` with
 * the state it is in, and 422 `consent.wider`.
 */
export function changeConsent(consent: Consent, action: ConsentAction, at: Date): ConsentChange | undefined {
  const { from, to, happened, by } = MOVES[action.kind];
  const state = action.kind === 'EXPIRE' ? consent.state : stateAt(consent, at);
  const isThere = state === to;
  if (!isThere && !from.includes(state)) {
    throw new Refusal('conflict', 'consent.state', `this consent is ${state}`, { extra: { state } });
  }
  const terms = 'smaller' in action ? narrowTerms(consent.terms, action.smaller, state !== 'REQUESTED') : consent.terms;
  const isSmaller = JSON.stringify(terms) !== JSON.stringify(consent.terms);
  if (isThere && isSmaller)
    throw new Refusal('conflict', 'consent.state', 'this consent was granted with other terms: narrow it', { extra: { state } });
  if (isThere || (to === undefined && !isSmaller)) return undefined;
  invariant(at >= consent.changedAt, 'a held consent’s time never runs backwards');
  return { consent: { ...consent, terms, state: to ?? state, version: consent.version + 1, by, changedAt: at }, happened };
}

/** The fact of a version; `via` is the service through which the subject acted, or what of the platform's made it so. */
export function consentFact({ consent, happened }: ConsentChange, commitment: string, via: string): Fact {
  const { id, subject, participant, version } = consent;
  const body = { consent: formatId('cns', id), version, commitment, via };
  return { shard: id.shard, kind: happened, subject: subject.uuid, participant, body };
}
