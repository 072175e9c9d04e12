import type { VerificationKey, VerificationKeyState } from '#evidence';
import { Refusal } from '#kernel';
import { changed, type Participant, type ParticipantChange, participantFact, participantKeysMax } from './participant.js';

/** A key grows old or is given up; it never comes back, and a compromised one stays compromised. */
const TRANSITIONS: Readonly<Record<VerificationKeyState, readonly VerificationKeyState[]>> = {
  READY: ['ACTIVE', 'RETIRED', 'COMPROMISED'],
  ACTIVE: ['RETIRED', 'COMPROMISED'],
  RETIRED: ['COMPROMISED'],
  COMPROMISED: [],
};

const usable = (state: VerificationKeyState) => state === 'READY' || state === 'ACTIVE';

/** Adds a signing key. Several may be active, so that rotation overlaps. Refuses `key.duplicate` (a kid is never used again) and `key.count`. */
export function addKey(known: Participant, key: Omit<VerificationKey, 'state'>, at: Date): ParticipantChange {
  if (known.keys.some(({ kid }) => kid === key.kid)) {
    throw new Refusal('conflict', 'key.duplicate', `${known.id} has used kid ${key.kid} already: name the new key otherwise`);
  }
  if (known.keys.filter(({ state }) => usable(state)).length >= participantKeysMax) {
    throw new Refusal('unprocessable', 'key.count', 'retire a key first', { limit: `participantKeysMax=${participantKeysMax}` });
  }
  const keys = [...known.keys, { ...key, state: 'ACTIVE' as const, addedAt: at, changedAt: at }];
  return {
    next: changed(known, at, { keys }),
    facts: [participantFact(known.id, 'participant.key_added', { kid: key.kid, alg: key.alg })],
  };
}

/** Refuses `key.unknown`, `key.transition`, and `key.last` where nothing would be left to sign with. */
export function retireKey(known: Participant, kid: string, at: Date): ParticipantChange {
  const othersUsable = known.keys.some((key) => key.kid !== kid && usable(key.state));
  if (!othersUsable) throw new Refusal('conflict', 'key.last', 'this is the last usable key: add the new one before retiring it');
  return changeKeyState(known, kid, 'RETIRED', at);
}

/** Works on the last key too: nothing signed with it may be accepted. Refuses `key.unknown`, `key.transition`. */
export function markCompromised(known: Participant, kid: string, at: Date): ParticipantChange {
  return changeKeyState(known, kid, 'COMPROMISED', at);
}

function changeKeyState(known: Participant, kid: string, state: VerificationKeyState, at: Date): ParticipantChange {
  const key = known.keys.find((candidate) => candidate.kid === kid);
  if (!key) throw new Refusal('not_found', 'key.unknown', `${known.id} has no key ${kid}`);
  if (!TRANSITIONS[key.state].includes(state)) throw new Refusal('conflict', 'key.transition', `key ${kid} is ${key.state} already`);
  const keys = known.keys.map((candidate) => (candidate === key ? { ...key, state, changedAt: at } : candidate));
  const kind = state === 'RETIRED' ? 'participant.key_retired' : 'participant.key_compromised';
  return { next: changed(known, at, { keys }), facts: [participantFact(known.id, kind, { kid })] };
}
