import { describe, expect, it } from 'vitest';
import { activateKey, addKey, announceKey, challengeLifeMs, markCompromised, proveKey, readyKey, retireKey } from './change-key.js';
import { enrolParticipant } from './enrol-participant.js';
import type { KeyState, Participant } from './participant.js';
import { passTime } from './pass-time.js';
import { RegistryView } from './registry-view.js';
import { aKey, anEnrolment, anotherKey, AT } from './testing/builders.js';

const after = (ms: number) => new Date(AT.getTime() + ms);
const known = enrolParticipant(undefined, anEnrolment(), AT).next;
const stateOf = (participant: Participant, kid = 'key-2') => participant.keys.find((key) => key.kid === kid)?.state;

/** One key-2 in each state. */
const announced = announceKey(known, anotherKey('key-2'), 'sign this', AT)!.next;
const probed = proveKey(announced, 'key-2', 'sign this', AT)!.next;
const ready = readyKey(probed, 'key-2', AT).next;
const active = activateKey(ready, 'key-2', AT)!.next;
const retired = retireKey(active, 'key-2', AT).next;
const compromised = markCompromised(active, 'key-2', AT, AT).next;
const IN: Readonly<Record<KeyState, Participant>> = {
  ANNOUNCED: announced,
  PROBED: probed,
  READY: ready,
  ACTIVE: active,
  RETIRED: retired,
  COMPROMISED: compromised,
};

describe('a key', () => {
  type Act = (participant: Participant) => { next: Participant } | undefined;
  const ACTS: Readonly<Record<string, Act>> = {
    prove: (participant) => proveKey(participant, 'key-2', 'sign this', AT),
    ready: (participant) => readyKey(participant, 'key-2', AT),
    activate: (participant) => activateKey(participant, 'key-2', AT),
    retire: (participant) => retireKey(participant, 'key-2', AT),
    compromise: (participant) => markCompromised(participant, 'key-2', AT, AT),
  };
  const rows: [act: string, ...ends: string[]][] = [
    //             ANNOUNCED, PROBED, READY, ACTIVE, RETIRED, COMPROMISED
    ['prove', 'PROBED', 'same', 'same', 'same', 'key.transition', 'key.transition'],
    ['ready', 'key.transition', 'READY', 'key.transition', 'key.transition', 'key.transition', 'key.transition'],
    ['activate', 'key.not_ready', 'key.not_ready', 'ACTIVE', 'same', 'key.transition', 'key.transition'],
    ['retire', 'RETIRED', 'RETIRED', 'RETIRED', 'RETIRED', 'key.transition', 'key.transition'],
    ['compromise', 'COMPROMISED', 'COMPROMISED', 'COMPROMISED', 'COMPROMISED', 'COMPROMISED', 'key.transition'],
  ];
  const cases = rows.flatMap(([act, ...ends]) => Object.keys(IN).map((from, i) => [act, from as KeyState, ends[i]!] as const));

  it.each(cases)('%s from %s: %s', (act, from, end) => {
    const move = () => ACTS[act]!(IN[from]);
    if (end.includes('.')) expect(move).toThrow(end);
    else if (end === 'same') expect(move()).toBeUndefined();
    else expect(stateOf(move()!.next)).toBe(end);
  });

  const found: [state: KeyState, as: string | undefined][] = [
    ['ANNOUNCED', undefined],
    ['PROBED', undefined],
    ['READY', 'READY'],
    ['ACTIVE', 'ACTIVE'],
    ['RETIRED', 'RETIRED'],
    ['COMPROMISED', 'COMPROMISED'],
  ];
  it.each(found)('%s is %s to whoever verifies', (state, as) => {
    expect(new RegistryView([IN[state]]).findKey('bank-a', 'key-2', AT)?.state).toBe(as);
  });
});

describe('a fact that registers a key', () => {
  it('binds the key itself, by its thumbprint (RFC 8037, appendix A.3)', () => {
    const jkt = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';
    const named = { kid: 'key-1', alg: 'EdDSA', jkt };
    expect(enrolParticipant(undefined, anEnrolment(), AT).facts[0].body).toMatchObject({ keys: [named] });
    const without = { ...known, keys: [] };
    expect(addKey(without, aKey, AT).facts[0]).toMatchObject({ kind: 'participant.key_added', body: named });
    expect(announceKey(without, aKey, 'sign this', AT)!.facts[0]).toMatchObject({ kind: 'participant.key_announced', body: named });
  });
});

describe('announcing', () => {
  it('again changes nothing, but for a challenge that ran out', () => {
    expect(announceKey(announced, anotherKey('key-2'), 'another', after(challengeLifeMs))).toBeUndefined();
    const fresh = announceKey(announced, anotherKey('key-2'), 'another', after(challengeLifeMs + 1))!.next;
    expect(fresh.keys.at(-1)).toMatchObject({ state: 'ANNOUNCED', challenge: 'another' });
    expect(() => proveKey(announced, 'key-2', 'sign this', after(challengeLifeMs + 1))).toThrow('key.challenge_expired');
    expect(() => proveKey(announced, 'key-2', 'another', AT)).toThrow('key.challenge_wrong');
  });

  it.each([
    ['another key under a used kid', { ...anotherKey('key-3'), kid: 'key-1' }],
    ['a compromised key under another kid', { ...anotherKey('key-2'), kid: 'key-3' }],
    ['a known key under another kid', { ...aKey, kid: 'key-3' }],
  ])('refuses %s', (_what, key) => {
    expect(() => announceKey(compromised, key, 'sign this', AT)).toThrow('key.duplicate');
  });

  it('is limited', () => {
    let participant = known;
    for (let n = 2; n <= 16; n++) participant = announceKey(participant, anotherKey(`key-${n}`), 'c', AT)!.next;
    expect(() => announceKey(participant, anotherKey('key-17'), 'c', AT)).toThrow('key.count');
  });
});

describe('time', () => {
  it('makes a proved key ready once every process has heard of it', () => {
    expect(passTime(probed, after(9_999))).toBeUndefined();
    expect(stateOf(passTime(probed, after(10_000))!.next)).toBe('READY');
  });

  it('retires a key at its end, and verification does not wait for that', () => {
    const ending = announceKey(known, { ...anotherKey('key-2'), notAfter: after(60_000) }, 'sign this', AT)!.next;
    const used = activateKey(readyKey(proveKey(ending, 'key-2', 'sign this', AT)!.next, 'key-2', AT).next, 'key-2', AT)!.next;
    expect(new RegistryView([used]).findKey('bank-a', 'key-2', after(59_999))?.state).toBe('ACTIVE');
    expect(new RegistryView([used]).findKey('bank-a', 'key-2', after(60_000))?.state).toBe('RETIRED');
    expect(stateOf(passTime(used, after(60_000))!.next)).toBe('RETIRED');
  });
});

describe('a compromised key', () => {
  it('may be suspected further back, never less far', () => {
    const earlier = markCompromised(compromised, 'key-2', after(-1_000), AT).next;
    expect(earlier.keys.at(-1)?.suspectedSince).toEqual(after(-1_000));
    expect(() => markCompromised(earlier, 'key-2', after(-500), AT)).toThrow('key.transition');
    expect(() => markCompromised(active, 'key-2', after(1), AT)).toThrow('key.suspicion_later');
  });
});
