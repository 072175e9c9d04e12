import { describe, expect, it } from 'vitest';
import type { Link } from '#consents';
import type { CreditRecord } from '#contract';
import { Refusal } from '#kernel';
import { acceptRecord, type KnownOfSubject, recordsInForceMax } from './accept-record.js';
import { checkIssuer } from './check-record.js';
import { equivocation, identityOf, judgeClaim } from './identity.js';
import type { RecordInForce, Statement } from './record.js';
import { jtiOf, performance, rating, recordHead, verified, violation } from './testing/records.js';

const at = new Date('2026-11-21T08:00:00.000Z');
const day = (n: number) => new Date(at.getTime() + n * 86_400_000);
const subject = { shard: 5, uuid: jtiOf(1) } as const;
const link: Link = { ref: { shard: 5, uuid: jtiOf(2) }, subject, participant: 'bank-a', createdAt: at };
const ended: Link = { ...link, endedAt: at };
const head = recordHead('bank-a', link.ref, 20, at);

const BODIES: Record<string, Statement> = {
  rating: { kind: 'rating', rating: rating(780) },
  performance: { kind: 'performance', performance: performance('11') },
  violation: { kind: 'violation', violation: violation('SEVERE', at) },
};
const inForce = (kind: string, n: number, iss = 'bank-a'): RecordInForce => ({
  iss,
  jti: jtiOf(n),
  rootJti: jtiOf(n),
  asOf: at,
  validUntil: day(90),
  body: BODIES[kind]!,
});

const RECORDS: Record<string, CreditRecord> = {
  rating: { ...head, kind: 'rating', rating: rating(780) },
  performance: { ...head, kind: 'performance', performance: performance('11') },
  violation: { ...head, kind: 'violation', violation: violation('SEVERE', at) },
  'clearance of 10': { ...head, kind: 'clearance', clearance: { clears: jtiOf(10) } },
  'rating correcting 10': { ...head, kind: 'correction', correction: { replaces: jtiOf(10), rating: rating(700) } },
  'withdrawal of 10': { ...head, kind: 'withdrawal', withdrawal: { replaces: jtiOf(10) } },
};

/** Effect in words: what leaves and what comes, by number, or the code of the refusal. */
async function effect(record: CreditRecord, known: Partial<KnownOfSubject>): Promise<string> {
  const incoming = await verified(record);
  try {
    const { removed, added } = acceptRecord({ link, inForce: [], namedExists: false, ...known }, incoming, at);
    return [removed && `-${parseInt(removed.jti.slice(-12), 16)}`, added && `+${added.body.kind}`].filter(Boolean).join(' ');
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('accepting a record', () => {
  const rows: [record: string, known: Partial<KnownOfSubject>, effect: string][] = [
    ['rating', {}, '+rating'],
    ['performance', {}, '+performance'],
    ['violation', {}, '+violation'],
    ['rating', { link: ended }, 'link.ended'],
    ['performance', { link: ended }, 'link.ended'],
    ['violation', { link: ended }, 'link.ended'],
    ['clearance of 10', { inForce: [inForce('violation', 10)] }, '-10'],
    ['clearance of 10', { inForce: [inForce('violation', 10)], link: ended }, '-10'],
    ['clearance of 10', { inForce: [inForce('rating', 10)] }, 'record.kind_mismatch'],
    ['clearance of 10', { inForce: [inForce('violation', 10, 'bank-b')] }, 'record.names_unknown'],
    ['clearance of 10', { namedExists: true }, 'record.not_in_force'],
    ['clearance of 10', { inForce: [{ ...inForce('violation', 10), validUntil: at }], namedExists: true }, 'record.not_in_force'],
    ['rating correcting 10', { inForce: [inForce('rating', 10)] }, '-10 +rating'],
    ['rating correcting 10', { inForce: [inForce('rating', 10)], link: ended }, '-10 +rating'],
    ['rating correcting 10', { inForce: [inForce('performance', 10)] }, 'record.kind_mismatch'],
    ['rating correcting 10', { inForce: [inForce('rating', 11)] }, 'record.names_unknown'],
    ['withdrawal of 10', { inForce: [inForce('performance', 10)] }, '-10'],
    ['withdrawal of 10', { inForce: [inForce('violation', 10)], link: ended }, '-10'],
    ['withdrawal of 10', {}, 'record.names_unknown'],
    ['rating', { inForce: Array.from({ length: recordsInForceMax }, (_, n) => inForce('rating', n + 100)) }, 'record.too_many'],
    ['rating', { inForce: Array.from({ length: recordsInForceMax }, (_, n) => inForce('rating', n + 100, 'bank-b')) }, '+rating'],
  ];

  it.each(rows)('%s, %#: %j -> %s', async (record, known, result) => {
    expect(await effect(RECORDS[record]!, known)).toBe(result);
  });

  it('keeps the root of a chain of corrections', async () => {
    const corrected = { ...inForce('rating', 10), rootJti: jtiOf(3) };
    const known = { link, inForce: [corrected], namedExists: true };
    expect(acceptRecord(known, await verified(RECORDS['rating correcting 10']!), at).added?.rootJti).toBe(jtiOf(3));
  });

  const times: [what: string, change: object, code: string][] = [
    ['iat at the edge of our patience', { iat: at.getTime() / 1_000 + 60 }, '+rating'],
    ['iat beyond it', { iat: at.getTime() / 1_000 + 61 }, 'record.in_future'],
    ['asOf tomorrow', { asOf: day(1).toISOString() }, 'record.in_future'],
    ['an old record that still counts', { asOf: day(-400).toISOString() }, '+rating'],
    ['validity before asOf', { validUntil: day(-1).toISOString() }, 'record.validity'],
    ['validity over', { asOf: day(-9).toISOString(), validUntil: at.toISOString() }, 'record.expired'],
    ['validity of five years', { validUntil: day(1_827).toISOString() }, '+rating'],
    ['validity of a day more', { validUntil: day(1_828).toISOString() }, 'record.validity'],
  ];

  it.each(times)('%s: %j -> %s', async (_what, change, result) => {
    expect(await effect({ ...RECORDS['rating']!, ...change } as CreditRecord, {})).toBe(result);
  });

  it('refuses a violation of tomorrow', async () => {
    const record = { ...RECORDS['violation']!, violation: violation('MINOR', day(1)) } as CreditRecord;
    expect(await effect(record, {})).toBe('record.in_future');
  });
});

describe('the identity of a record', () => {
  it('lets a participant speak for itself only', () => {
    expect(() => checkIssuer(RECORDS['rating']!, 'bank-a')).not.toThrow();
    expect(() => checkIssuer(RECORDS['rating']!, 'bank-b')).toThrow(/record.issuer_mismatch/);
  });

  it('tells a repetition from an equivocation by the bytes that were signed', async () => {
    const identity = identityOf((await verified(RECORDS['rating']!)).value);
    const other = identityOf((await verified({ ...RECORDS['rating']!, seq: 21 })).value);
    expect(judgeClaim({ outcome: 'claimed' }, identity)).toBe('new');
    expect(judgeClaim({ outcome: 'known', payloadDigest: identity.payloadDigest }, identity)).toBe('repetition');
    expect(judgeClaim({ outcome: 'known', payloadDigest: other.payloadDigest }, identity)).toBe('equivocation');
    expect(() => judgeClaim({ outcome: 'seq_used' }, identity)).toThrow(/record.seq_reused/);
    expect(equivocation(identity).kind).toBe('conflict');
  });
});
