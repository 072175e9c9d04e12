import { expect, it } from 'vitest';
import { shardOf } from '#kernel';
import type { RecordIdentity } from '../identity.js';
import type { RecordInForce, StoredRecord } from '../record.js';
import type { RecordBook } from '../store.js';
import { jtiOf, rating } from './records.js';

const at = new Date('2026-11-21T08:00:00.000Z');
const later = new Date('2026-12-21T08:00:00.000Z');
const subjectUuid = jtiOf(1);
const subject = { shard: shardOf(subjectUuid), uuid: subjectUuid };
const ref = { shard: subject.shard, uuid: jtiOf(2) };

const identity: RecordIdentity = { iss: 'bank-a', jti: jtiOf(10), seq: 10, payloadDigest: new Uint8Array([1, 2, 3]), ref };
const inForce: RecordInForce = {
  iss: 'bank-a',
  jti: jtiOf(10),
  rootJti: jtiOf(10),
  asOf: at,
  validUntil: later,
  body: { kind: 'rating', rating: rating(780) },
};
const stored: StoredRecord = {
  iss: 'bank-a',
  jti: jtiOf(10),
  seq: 10,
  ref,
  subject,
  kind: 'rating',
  names: undefined,
  issuedAt: at,
  payloadDigest: identity.payloadDigest,
  received: new Uint8Array([0, 255, 10, 13]),
  acceptedAt: at,
  factSeq: 1n,
  receipt: 'a.b.c',
};

/** What every record book promises. `run` gives a book and saves what was done with it. */
export function recordBookContract(run: <T>(work: (book: RecordBook) => Promise<T>) => Promise<T>): void {
  const claims: [what: string, change: Partial<RecordIdentity>, outcome: string][] = [
    ['new names', {}, 'claimed'],
    ['the same names again', {}, 'known'],
    ['the same jti with another seq', { seq: 11 }, 'known'],
    ['the seq under another jti', { jti: jtiOf(11) }, 'seq_used'],
    ['the names of another issuer', { iss: 'bank-b' }, 'claimed'],
    ['the next record', { jti: jtiOf(12), seq: 12 }, 'claimed'],
  ];

  it.each(claims)('claims %s: %#', async (_what, change, outcome) => {
    expect((await run((book) => book.claim({ ...identity, ...change }))).outcome).toBe(outcome);
  });

  it('answers a claim of known names with the first digest', async () => {
    const claim = await run((book) => book.claim({ ...identity, payloadDigest: new Uint8Array([9]) }));
    expect(claim).toEqual({ outcome: 'known', payloadDigest: identity.payloadDigest });
  });

  it('knows the highest seq of an issuer, and of that issuer alone', async () => {
    await run((book) => book.claim({ ...identity, jti: jtiOf(40), seq: 40 }));
    await run((book) => book.claim({ ...identity, jti: jtiOf(30), seq: 30 }));
    expect(await run((book) => book.lastSeq(identity.iss))).toBe(40);
    expect(await run((book) => book.lastSeq('bank-without-records'))).toBeUndefined();
  });

  it('keeps a record with its exact bytes, for its issuer alone', async () => {
    await run((book) => book.keep(stored));
    expect(await run((book) => book.find('bank-a', stored.jti))).toEqual(stored);
    expect(await run((book) => book.find('bank-b', stored.jti))).toBeUndefined();
    expect(await run((book) => book.find('bank-a', jtiOf(99)))).toBeUndefined();
  });

  it('puts a corrected record in the place of the first', async () => {
    const corrected = { ...inForce, jti: jtiOf(12), body: { kind: 'rating' as const, rating: rating(700) } };
    await run((book) => book.changeForce(subject, { added: inForce }));
    expect(await run((book) => book.inForce(subject))).toEqual([inForce]);
    await run((book) => book.changeForce(subject, { removed: inForce, added: corrected }));
    expect(await run((book) => book.inForce(subject))).toEqual([corrected]);
    expect(await run((book) => book.inForce({ ...subject, uuid: jtiOf(3) }))).toEqual([]);
  });

  it('keeps each equivocation once', async () => {
    const second = { ...identity, payloadDigest: new Uint8Array([4]) };
    const third = { ...identity, payloadDigest: new Uint8Array([5]) };
    const kept: boolean[] = [];
    for (const one of [second, second, third]) kept.push(await run((book) => book.keepEquivocation(one, stored.received, at)));
    expect(kept).toEqual([true, false, true]);
  });
}
