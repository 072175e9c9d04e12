import { beforeAll, describe, expect, it } from 'vitest';
import type { CreditRecord } from '#contract';
import { verifyJws, type VerificationKey } from '#evidence';
import { formatId, type ShardedId } from '#kernel';
import { jtiOf, rating, sha256, verified, violation } from '#records/testing/records';
import { RECEIPT_TYPE } from '../record-receipt.js';
import { claimsOf, ExchangeWorld, type Ground, receiptSigner, startAt } from './exchange-world.js';

const rated = (score: number) => ({ kind: 'rating' as const, rating: rating(score) });
const severe = { kind: 'violation' as const, violation: violation('SEVERE', startAt) };
const DAY_MS = 86_400_000;
/** A world with one customer of two banks. */
interface Stage {
  world: ExchangeWorld;
  subject: ShardedId;
  refA: ShardedId;
  refB: ShardedId;
}

let n = 1_000;

async function newCustomer(stage: Stage): Promise<void> {
  const { world } = stage;
  stage.subject = await world.subject();
  [stage.refA, stage.refB] = [await world.link(stage.subject, 'bank-a'), await world.link(stage.subject, 'bank-b')];
  await Promise.all([world.hear('bank-a'), world.hear('bank-b')]);
}

/** What the exchange does as a whole, on whatever it stands. */
export function exchangeContract(open: () => Promise<Ground>): void {
  const stage = {} as Stage;
  beforeAll(async () => {
    stage.world = new ExchangeWorld(await open());
  });
  describe('subjects', () => aboutSubjects(stage));
  describe('records', () => aboutRecords(stage));
  describe('each kind has its effect', () => aboutEffects(stage));
  describe('time', () => aboutTime(stage));
  describe('polling', () => aboutPolling(stage));
}

function aboutSubjects(stage: Stage): void {
  it('have a first standing, and one registration per key', async () => {
    const ask = { caller: 'wallet', key: 'same-key', kind: 'MERCHANT' as const };
    const [first, again] = [await stage.world.subjects.register(ask), await stage.world.subjects.register(ask)];
    expect(again).toEqual({ id: first.id, repeated: true });
    expect(await stage.world.standing(first.id)).toMatchObject({ version: 1n, kind: 'MERCHANT', restrictions: [] });
    await expect(stage.world.subjects.register({ ...ask, kind: 'INDIVIDUAL' })).rejects.toThrow(/idempotency.key_reused/);
  });

  it('are linked once, and the bank hears it with its own customer reference', async () => {
    const id = await stage.world.subject();
    const wish = { participant: 'bank-c', customerReference: 'c-7' };
    const [first, again] = [await stage.world.subjects.link(id, wish), await stage.world.subjects.link(id, wish)];
    expect([again.repeated, again.link.ref]).toEqual([true, first.link.ref]);
    const told = await stage.world.hear('bank-c');
    expect(told).toMatchObject([{ kind: 'link.created', ref: formatId('lnk', first.link.ref), body: { customerReference: 'c-7' } }]);
    expect(await stage.world.hear('bank-c')).toEqual([]);
    await expect(stage.world.subjects.link({ ...id, uuid: jtiOf(9) }, wish)).rejects.toThrow(/subject.unknown/);
  });
}

function aboutRecords(stage: Stage): void {
  beforeAll(() => newCustomer(stage));

  it('are accepted once, whoever asks how often', async () => {
    const record = stage.world.record('bank-a', stage.refA, ++n, rated(820));
    const answers = await Promise.all(Array.from({ length: 8 }, () => stage.world.send(record)));
    expect(new Set(answers.map(({ receipt }) => receipt)).size).toBe(1);
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(await stage.world.standing(stage.subject)).toMatchObject({ version: 2n, score: { value: 725, version: '2026.1' } });
  });

  it('get a receipt that verifies and binds to the bytes sent', async () => {
    const record = stage.world.record('bank-a', stage.refA, ++n, rated(820));
    const { receipt } = await stage.world.send(record);
    const key: VerificationKey = { kid: 'receipt-1', alg: 'EdDSA', jwk: receiptSigner.publicJwk, state: 'ACTIVE' };
    const { value } = await verifyJws(new TextEncoder().encode(receipt), RECEIPT_TYPE, () => key);
    const { payloadBytes } = (await verified(record)).value;
    expect(value.payload).toMatchObject({
      iss: 'https://gateway.test',
      sub: record.jti,
      payload_digest: Buffer.from(sha256(payloadBytes)).toString('base64url'),
      inclusion_promise_seconds: 10,
    });
    expect(value.payload['fact']).toMatch(/^fct_.[0-9]+$/);
  });

  it('are refused, and leave nothing behind', async () => {
    const good = stage.world.record('bank-a', stage.refA, 5_000, rated(700));
    const before = await stage.world.ground.factKinds();
    const rows: [change: object, caller: string, code: string][] = [
      [{}, 'bank-b', 'record.issuer_mismatch'],
      [{ sub: formatId('lnk', stage.refB) }, 'bank-a', 'link.unknown'],
      [{ sub: formatId('lnk', { ...stage.refA, uuid: jtiOf(1) }) }, 'bank-a', 'link.unknown'],
      [{ validUntil: startAt.toISOString(), asOf: '2026-11-20T00:00:00Z' }, 'bank-a', 'record.expired'],
      [{ seq: n }, 'bank-a', 'record.seq_reused'],
    ];
    for (const [change, caller, code] of rows) expect(await stage.world.outcome({ ...good, ...change } as CreditRecord, caller)).toBe(code);
    expect(await stage.world.ground.factKinds()).toEqual(before);
    expect(await stage.world.outcome(good)).toBe('new');
  });

  it('with another payload under used names are kept as evidence, once', async () => {
    const record = stage.world.record('bank-a', stage.refA, ++n, rated(700));
    expect(await stage.world.outcome(record)).toBe('new');
    const other = { ...record, ...rated(900) } as CreditRecord;
    for (let i = 0; i < 2; i++) expect(await stage.world.outcome(other)).toBe('record.equivocation');
    expect((await stage.world.ground.factKinds()).filter((kind) => kind === 'record.equivocated')).toHaveLength(1);
    expect(await stage.world.outcome(record)).toBe('repeated');
  });

  it('repeat also when they could not be accepted any more', async () => {
    const record = stage.world.record('bank-b', stage.refB, ++n, rated(600));
    expect(await stage.world.outcome(record)).toBe('new');
    await stage.world.subjects.endLink(stage.subject, stage.refB);
    expect(await stage.world.outcome(record)).toBe('repeated');
    expect(await stage.world.outcome(stage.world.record('bank-b', stage.refB, ++n, rated(600)))).toBe('link.ended');
    const owed = stage.world.record('bank-b', stage.refB, ++n, { kind: 'withdrawal', withdrawal: { replaces: record.jti } });
    expect(await stage.world.outcome(owed)).toBe('new');
  });
}

function aboutEffects(stage: Stage): void {
  beforeAll(() => newCustomer(stage));
  const scoreAfter = async (record: CreditRecord) => {
    expect(await stage.world.outcome(record)).toBe('new');
    return (await stage.world.standing(stage.subject)).score.value;
  };

  it('rating, correction, withdrawal', async () => {
    const first = stage.world.record('bank-a', stage.refA, ++n, rated(820));
    expect(await scoreAfter(first)).toBe(725);
    const better = stage.world.record('bank-a', stage.refA, ++n, {
      kind: 'correction',
      correction: { replaces: first.jti, rating: rating(950) },
    });
    expect(await scoreAfter(better)).toBe(774);
    const gone = { kind: 'withdrawal' as const, withdrawal: { replaces: first.jti } };
    expect(await stage.world.outcome(stage.world.record('bank-a', stage.refA, ++n, gone))).toBe('record.not_in_force');
    expect(await scoreAfter(stage.world.record('bank-a', stage.refA, ++n, { ...gone, withdrawal: { replaces: better.jti } }))).toBe(574);
  });

  it('a violation stops services; the banks hear of it and of its clearance', async () => {
    await Promise.all([stage.world.hear('bank-a'), stage.world.hear('bank-b')]);
    const reported = stage.world.record('bank-b', stage.refB, ++n, severe);
    await scoreAfter(reported);
    const { restrictions } = await stage.world.standing(stage.subject);
    expect(restrictions).toMatchObject([{ step: 'SERVICE_STOP', services: [], reason: { code: 'FRAUD_CONFIRMED' }, startsAt: startAt }]);
    const [toldA, toldB] = [await stage.world.hear('bank-a'), await stage.world.hear('bank-b')];
    const ref = formatId('lnk', stage.refA);
    expect(toldA.map(({ kind, ref: about }) => [kind, about])).toEqual([
      ['violation.reported', ref],
      ['rating.changed', ref],
      ['restriction.imposed', ref],
    ]);
    expect(toldA[0]?.body).toEqual({ on: '2026-11-21' });
    expect(JSON.stringify(toldA)).not.toMatch(/FRAUD|bank-b|SEVERE/);
    // What its own record did to the score it is not told.
    expect(toldB.map(({ kind }) => kind)).toEqual(['restriction.imposed']);
    expect(toldB[0]?.body['record']).toBe(reported.jti);
    expect(toldB[0]?.body['restriction']).not.toBe(toldA[2]?.body['restriction']);

    await stage.world.subjects.endLink(stage.subject, stage.refA);
    await stage.world.hear('bank-a');
    const cleared = stage.world.record('bank-b', stage.refB, ++n, { kind: 'clearance', clearance: { clears: reported.jti } });
    // Two more than before: the link that ended is no inquiry any more.
    expect(await scoreAfter(cleared)).toBe(576);
    expect((await stage.world.standing(stage.subject)).restrictions).toEqual([]);
    expect(await stage.world.hear('bank-a')).toMatchObject([
      { kind: 'restriction.lifted', body: { restriction: toldA[2]?.body['restriction'], why: 'CLEARED' } },
    ]);
  });
}

function aboutTime(stage: Stage): void {
  beforeAll(() => newCustomer(stage));

  it('ends a restriction and a rating by itself, and the banks hear it', async () => {
    await stage.world.send(stage.world.record('bank-a', stage.refA, ++n, rated(820)));
    await stage.world.send(stage.world.record('bank-b', stage.refB, ++n, { kind: 'violation', violation: violation('MINOR', startAt) }));
    expect((await stage.world.standing(stage.subject)).restrictions).toMatchObject([{ services: ['pay-later'] }]);
    await stage.world.hear('bank-a');
    stage.world.clock.set(new Date(startAt.getTime() + 90 * DAY_MS - 1));
    await stage.world.review.run();
    expect((await stage.world.standing(stage.subject)).restrictions).toHaveLength(1);
    stage.world.clock.advance(1);
    expect(await stage.world.review.run()).toBeGreaterThan(0);
    expect(await stage.world.standing(stage.subject)).toMatchObject({ restrictions: [], score: { value: 574 } });
    const told = (await stage.world.hear('bank-a')).filter(({ ref }) => ref === formatId('lnk', stage.refA));
    expect(told.map(({ kind, body }) => [kind, body['why']])).toEqual([
      ['rating.changed', undefined],
      ['restriction.lifted', 'ENDED'],
    ]);
    expect(await stage.world.review.run()).toBe(0);
    stage.world.clock.set(startAt);
  });
}

function aboutPolling(stage: Stage): void {
  const ask = { maxEvents: 100, returnImmediately: true, ack: [], setErrs: {} };

  it('is at least once, in pages, and says whether more is available', async () => {
    const ids = [await stage.world.subject(), await stage.world.subject(), await stage.world.subject()];
    for (const id of ids) await stage.world.link(id, 'bank-d');
    const first = await stage.world.poll.run('bank-d', { ...ask, maxEvents: 2 });
    expect([Object.keys(first.sets).length, first.moreAvailable]).toEqual([2, true]);
    expect(await stage.world.poll.run('bank-d', { ...ask, maxEvents: 2 })).toEqual(first);
    const rest = await stage.world.poll.run('bank-d', { ...ask, ack: Object.keys(first.sets) });
    expect([Object.keys(rest.sets).length, rest.moreAvailable]).toEqual([1, false]);
    const token = claimsOf(Object.values(rest.sets)[0]!);
    expect(token).toMatchObject({ iss: 'https://gateway.test', aud: 'bank-d', jti: Object.keys(rest.sets)[0] });
  });

  it('lets nobody acknowledge for another', async () => {
    const { sets } = await stage.world.poll.run('bank-d', ask);
    await stage.world.poll.run('bank-e', { ...ask, ack: Object.keys(sets) });
    expect(await stage.world.poll.run('bank-d', ask)).toEqual({ sets, moreAvailable: false });
    await stage.world.poll.run('bank-d', { ...ask, ack: Object.keys(sets) });
  });

  it('holds back only the stage.subject of a failed event, until its next try', async () => {
    const [one, two] = [await stage.world.subject(), await stage.world.subject()];
    const ref = await stage.world.link(one, 'bank-f');
    await stage.world.subjects.endLink(one, ref);
    await stage.world.link(two, 'bank-f');
    const kinds = async (change: object) =>
      Object.values((await stage.world.poll.run('bank-f', { ...ask, ...change })).sets).map(
        (token) => Object.keys(claimsOf(token)['events'] as object)[0],
      );
    const [failed] = Object.keys((await stage.world.poll.run('bank-f', ask)).sets);
    expect(await kinds({ setErrs: { [failed!]: { err: 'database_down' } } })).toEqual(['urn:tallystick:event:link.created']);
    stage.world.clock.advance(10_000);
    expect(await kinds({})).toHaveLength(3);
    stage.world.clock.set(startAt);
  });

  it('waits when asked to, and no longer than promised', async () => {
    expect(await stage.world.poll.run('bank-g', { ...ask, returnImmediately: false })).toEqual({ sets: {}, moreAvailable: false });
    expect(stage.world.clock.now().getTime() - startAt.getTime()).toBe(25_000);
    stage.world.clock.set(startAt);
    const waiting = stage.world.poll.run('bank-g', { ...ask, returnImmediately: false });
    await stage.world.link(await stage.world.subject(), 'bank-g');
    expect(Object.keys((await waiting).sets)).toHaveLength(1);
    stage.world.clock.set(startAt);
  });
}
