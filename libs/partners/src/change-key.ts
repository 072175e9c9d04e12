import type { EventKind } from '#contract';
import { type JsonObject, thumbprint, type VerificationKey } from '#evidence';
import { type Fact, Refusal } from '#kernel';
import {
  changed,
  type KeyState,
  type Participant,
  type ParticipantChange,
  participantFact,
  type ParticipantKey,
  participantKeysMax,
} from './participant.js';

export type NewKey = Omit<VerificationKey, 'state'> & { readonly notAfter?: Date };

/** A challenge must be signed within a day; then it is asked for anew by announcing the key again. */
export const challengeLifeMs = 86_400_000;

/** A key grows old or is given up; it never comes back, and a compromised one stays compromised. */
const TRANSITIONS: Readonly<Record<KeyState, readonly KeyState[]>> = {
  ANNOUNCED: ['PROBED', 'RETIRED', 'COMPROMISED'],
  PROBED: ['READY', 'RETIRED', 'COMPROMISED'],
  READY: ['ACTIVE', 'RETIRED', 'COMPROMISED'],
  ACTIVE: ['RETIRED', 'COMPROMISED'],
  RETIRED: ['COMPROMISED'],
  COMPROMISED: [],
};

const KINDS: Readonly<Record<KeyState, string>> = {
  ANNOUNCED: 'participant.key_announced',
  PROBED: 'participant.key_probed',
  READY: 'participant.key_ready',
  ACTIVE: 'participant.key_activated',
  RETIRED: 'participant.key_retired',
  COMPROMISED: 'participant.key_compromised',
};

/** What its owner hears of a key, whoever brought it about. */
const TOLD: Readonly<Partial<Record<KeyState, EventKind>>> = {
  ANNOUNCED: 'key.announced',
  ACTIVE: 'key.activated',
  RETIRED: 'key.retired',
  COMPROMISED: 'key.compromised',
};

export const isUsable = ({ state }: Pick<ParticipantKey, 'state'>) => state === 'READY' || state === 'ACTIVE';
const isOver = ({ state }: ParticipantKey) => state === 'RETIRED' || state === 'COMPROMISED';

/** How a fact that registers a key names it: `jkt` is its RFC 7638 thumbprint, so that the sealed fact binds the key itself. */
export function keyInFact({ kid, alg, jwk }: NewKey): { readonly kid: string; readonly alg: string; readonly jkt: string } {
  return { kid, alg, jkt: thumbprint(jwk) };
}

/** Adds a signing key that an operator vouches for. Several may be active. Refuses `key.duplicate` (a kid is never used again) and `key.count`. */
export function addKey(known: Participant, key: NewKey, at: Date): ParticipantChange {
  const keys = withKeys(known.keys, [key], at);
  return told(changed(known, at, { keys }), participantFact(known.id, 'participant.key_added', keyInFact(key)), 'ACTIVE');
}

/** The keys with new ones, ACTIVE. A key that is there already, under the same kid, stays as it is. Refuses `key.duplicate`, `key.count`. */
export function withKeys(known: readonly ParticipantKey[], added: readonly NewKey[], at: Date): ParticipantKey[] {
  const keys = [...known];
  for (const key of added) {
    refuseKnown(keys, key);
    keys.push({ ...key, state: 'ACTIVE', addedAt: at, changedAt: at });
  }
  refuseTooMany(keys);
  return keys;
}

/**
 * The participant announces its next key: it counts for nothing until it has signed the challenge. Announcing the same key again changes
 * nothing, but for a challenge that ran out. Refuses `key.duplicate` and `key.count`.
 */
export function announceKey(known: Participant, key: NewKey, challenge: string, at: Date): ParticipantChange | undefined {
  const same = known.keys.find(({ kid, jwk }) => kid === key.kid && sameKey(jwk, key.jwk));
  if (same && !(same.state === 'ANNOUNCED' && isStale(same, at))) return undefined;
  const fact = participantFact(known.id, KINDS.ANNOUNCED, keyInFact(key));
  if (same) return moved(known, same, { challenge }, at, fact);
  refuseKnown(known.keys, key);
  const keys: ParticipantKey[] = [...known.keys, { ...key, challenge, state: 'ANNOUNCED', addedAt: at, changedAt: at }];
  refuseTooMany(keys);
  return told(changed(known, at, { keys }), fact, 'ANNOUNCED');
}

/** The key has signed `challenge`. Again: nothing changes. Refuses `key.unknown`, `key.transition`, `key.challenge_wrong`, `key.challenge_expired`. */
export function proveKey(known: Participant, kid: string, challenge: string, at: Date): ParticipantChange | undefined {
  const key = getKey(known, kid);
  if (key.state === 'PROBED' || isUsable(key)) return undefined;
  if (key.state === 'ANNOUNCED' && isStale(key, at)) {
    throw new Refusal('conflict', 'key.challenge_expired', 'the challenge ran out: announce the key again for a new one');
  }
  if (key.state === 'ANNOUNCED' && key.challenge !== challenge) {
    throw new Refusal('unprocessable', 'key.challenge_wrong', 'this is not the challenge of this key: see GET /v1/participants/me');
  }
  return moveKey(known, kid, 'PROBED', at);
}

/** Every process knows the key by now. Refuses `key.unknown`, `key.transition`. */
export function readyKey(known: Participant, kid: string, at: Date): ParticipantChange {
  return moveKey(known, kid, 'READY', at);
}

/** From now on it is the participant's key. Again: nothing changes. Refuses `key.unknown`, `key.not_ready`, `key.transition`. */
export function activateKey(known: Participant, kid: string, at: Date): ParticipantChange | undefined {
  const { state } = getKey(known, kid);
  if (state === 'ACTIVE') return undefined;
  if (state === 'ANNOUNCED') throw new Refusal('conflict', 'key.not_ready', 'this key has not signed its challenge yet');
  if (state === 'PROBED') {
    throw new Refusal('conflict', 'key.not_ready', 'not every process of ours knows this key yet: try again in some seconds', {
      retryAfterSeconds: 10,
    });
  }
  return moveKey(known, kid, 'ACTIVE', at);
}

/** Refuses `key.unknown`, `key.transition`, and `key.last` where nothing would be left to sign with. */
export function retireKey(known: Participant, kid: string, at: Date): ParticipantChange {
  const othersUsable = known.keys.some((key) => key.kid !== kid && isUsable(key));
  if (isUsable(getKey(known, kid)) && !othersUsable) {
    throw new Refusal('conflict', 'key.last', 'this is the last usable key: add the new one before retiring it');
  }
  return moveKey(known, kid, 'RETIRED', at);
}

/**
 * Works on the last key too: nothing signed with it may be accepted. What was received since `suspectedSince` is under suspicion; a report
 * may later reach further back, never less far. Refuses `key.unknown`, `key.transition`, `key.suspicion_later`.
 */
export function markCompromised(known: Participant, kid: string, suspectedSince: Date, at: Date): ParticipantChange {
  const key = getKey(known, kid);
  if (suspectedSince > at) throw new Refusal('unprocessable', 'key.suspicion_later', 'the suspected time lies ahead of us');
  if (key.state === 'COMPROMISED' && !(suspectedSince < key.suspectedSince!)) throw transition(key);
  const fact = participantFact(known.id, KINDS.COMPROMISED, { kid, suspectedSince: suspectedSince.toISOString() });
  return moved(known, key, { state: 'COMPROMISED', suspectedSince }, at, fact);
}

/** Time retires a key that has an end. */
export function expireKey(known: Participant, kid: string, at: Date): ParticipantChange {
  const fact = participantFact(known.id, KINDS.RETIRED, { kid, why: 'EXPIRED' });
  return moved(known, getKey(known, kid), { state: 'RETIRED' }, at, fact);
}

/** Refuses 404 `key.unknown`. */
export function getKey(known: Participant, kid: string): ParticipantKey {
  const key = known.keys.find((candidate) => candidate.kid === kid);
  if (!key) throw new Refusal('not_found', 'key.unknown', `${known.id} has no key of this kid`);
  return key;
}

function moveKey(known: Participant, kid: string, state: KeyState, at: Date): ParticipantChange {
  const key = getKey(known, kid);
  if (!TRANSITIONS[key.state].includes(state)) throw transition(key);
  return moved(known, key, { state }, at, participantFact(known.id, KINDS[state], { kid }));
}

function moved(known: Participant, key: ParticipantKey, change: Partial<ParticipantKey>, at: Date, fact: Fact): ParticipantChange {
  const { challenge, ...rest } = { ...key, ...change, changedAt: at };
  const next: ParticipantKey = challenge !== undefined && rest.state === 'ANNOUNCED' ? { ...rest, challenge } : rest;
  return told(changed(known, at, { keys: known.keys.map((one) => (one === key ? next : one)) }), fact, next.state);
}

/** The owner hears of its key what the fact says of it. */
function told(next: Participant, fact: Fact, state: KeyState): ParticipantChange {
  const kind = TOLD[state];
  return { next, facts: [fact], ...(kind ? { notices: [{ fact, kind, body: fact.body as JsonObject }] } : {}) };
}

function transition({ kid, state }: ParticipantKey): Refusal {
  return new Refusal('conflict', 'key.transition', `key ${kid} is ${state} already`);
}

function isStale({ changedAt }: ParticipantKey, at: Date): boolean {
  return at.getTime() - changedAt.getTime() > challengeLifeMs;
}

/** Neither a name nor a key is used twice: what was compromised does not come back under another kid. */
function refuseKnown(keys: readonly ParticipantKey[], { kid, jwk }: NewKey): void {
  if (keys.some((key) => key.kid === kid)) {
    throw new Refusal('conflict', 'key.duplicate', `kid ${kid} was used already: name the new key otherwise`);
  }
  const same = keys.find((key) => sameKey(key.jwk, jwk));
  if (same) throw new Refusal('conflict', 'key.duplicate', `this key is registered already, as ${same.kid}: make a new one`);
}

function refuseTooMany(keys: readonly ParticipantKey[]): void {
  if (keys.filter((key) => !isOver(key)).length > participantKeysMax) {
    throw new Refusal('unprocessable', 'key.count', 'retire a key first', { limit: `participantKeysMax=${participantKeysMax}` });
  }
}

/** Registered keys hold their public members only, so that equal keys have equal members. */
export function sameKey(a: VerificationKey['jwk'], b: VerificationKey['jwk']): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
