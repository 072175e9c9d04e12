import { describe, expect, it } from 'vitest';
import { markCompromised } from './change-key.js';
import { enrolParticipant } from './enrol-participant.js';
import { suspicionOf } from './suspicion.js';
import { anEnrolment, anotherKey, aKey, AT } from './testing/builders.js';

const after = (ms: number) => new Date(AT.getTime() + ms);
const enrolled = enrolParticipant(undefined, anEnrolment({ keys: [aKey, anotherKey('key-2')] }), AT).next;
const known = markCompromised(enrolled, 'key-2', after(1_000), after(9_000)).next;
const jws = (kid: string) => `${Buffer.from(JSON.stringify({ alg: 'EdDSA', kid })).toString('base64url')}.e30.AA`;

describe('an accepted record', () => {
  const rows: [kid: string, acceptedAt: Date, suspect: boolean][] = [
    ['key-2', after(999), false],
    ['key-2', after(1_000), true],
    ['key-2', after(8_000), true],
    ['key-1', after(8_000), false],
  ];
  it.each(rows)('under %s received at %s: suspect %s', (kid, acceptedAt, suspect) => {
    expect(suspicionOf(known, jws(kid), acceptedAt)).toEqual(suspect ? { kid: 'key-2', since: after(1_000) } : undefined);
  });
});
