import { beforeAll, describe, expect, it } from 'vitest';
import { verifyJws, type VerificationKey } from '#evidence';
import { formatId, type ShardedId } from '#kernel';
import { jtiOf, rating, sha256, verified, violation } from '#records/testing/records';
import { RECEIPT_TYPE } from '../accept-record.js';
import { claimsOf, ExchangeWorld, type Ground, receiptSigner, startAt } from './exchange-world.js';

const rated = (score: number) => ({ kind: 'rating' as const, rating: rating(score) });
const severe = { kind: 'violation' as const, violation: violation('SEVERE', startAt) };
const DAY_MS = 86_400_000;

/** What the exchange does as a whole, on whatever it stands. */
export function exchangeContract(open: () => Promise<Ground>): void {
  let world: ExchangeWorld;
  let subject: ShardedId;
  let refA: ShardedId;
  let refB: ShardedId;
  let n = 1_000;
  beforeAll(async () => {
    const ground = await open();
    world = new ExchangeWorld(ground);
  });
  const newCustomer = async () => {
    subject = await world.subject();
    [refA, refB] = [await world.link(subject, 'bank-a'), await world.link(subject, 'bank-b')];
    await Promise.all([world.hear('bank-a'), world.hear('bank-b')]);
  };

  describe('subjects', () => {
    it('have a first standing, and one registration per key', async () => {
      const ask = { caller: 'wallet', key: 'same-key', kind: 'MERCHANT' as const };
      const [first, again] = [await world.subjects.register(ask), await world.subjects.register(ask)];
      expect(again).toEqual({ id: first.id, repeated: true });
      expect(await world.standing(first.id)).toMatchObject({ version: 1n, kind: 'MERCHANT', restrictions: [] });
      await expect(world.subjects.register({ ...ask, kind: 'INDIVIDUAL' })).rejects.toThrow(/idempotency_key.reused/);
    });

    it('are linked once, and the bank hears it with its own customer reference', async () => {
      const id = await world.subject();
      const wish = { participant: 'bank-c', customerReference: 'c-7' };
      const [first, again] = [await world.subjects.link(id, wish), await world.subjects.link(id, wish)];
      expect([again.repeated, again.link.ref]).toEqual([true, first.link.ref]);
      const told = await world.hear('bank-c');
      expect(told).toMatchObject([{ kind: 'link.created', ref: formatId('lnk', first.link.ref), body: { customerReference: 'c-7' } }]);
      expect(await world.hear('bank-c')).toEqual([]);
      await expect(world.subjects.link({ ...id, uuid: jtiOf(9) }, wish)).rejects.toThrow(/subject.unknown/);
    });
  });

  describe('records', () => {
    beforeAll(newCustomer);

    it('are accepted once, whoever asks how often', async () => {
      const record = world.record('bank-a', refA, ++n, rated(820));
      const answers = await Promise.all(Array.from({ length: 8 }, () => world.send(record)));
      expect(new Set(answers.map(({ receipt }) => receipt)).size).toBe(1);
      expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
      expect(await world.standing(subject)).toMatchObject({ version: 2n, score: { value: 725, version: '2026.1' } });
    });

    it('get a receipt that verifies and binds to the bytes sent', async () => {
      const record = world.record('bank-a', refA, ++n, rated(820));
      const { receipt } = await world.send(record);
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
      const good = world.record('bank-a', refA, 5_000, rated(700));
      const before = await world.ground.factKinds();
      const rows: [change: object, caller: string, code: string][] = [
        [{}, 'bank-b', 'record.issuer_mismatch'],
        [{ sub: formatId('lnk', refB) }, 'bank-a', 'link.unknown'],
        [{ sub: formatId('lnk', { ...refA, uuid: jtiOf(1) }) }, 'bank-a', 'link.unknown'],
        [{ validUntil: startAt.toISOString(), asOf: '2026-11-20T00:00:00Z' }, 'bank-a', 'record.expired'],
        [{ seq: n }, 'bank-a', 'record.seq_reused'],
      ];
      for (const [change, caller, code] of rows) expect(await world.outcome({ ...good, ...change }, caller)).toBe(code);
      expect(await world.ground.factKinds()).toEqual(before);
      expect(await world.outcome(good)).toBe('new');
    });

    it('with another payload under used names are kept as evidence, once', async () => {
      const record = world.record('bank-a', refA, ++n, rated(700));
      expect(await world.outcome(record)).toBe('new');
      const other = { ...record, ...rated(900) };
      for (let i = 0; i < 2; i++) expect(await world.outcome(other)).toBe('record.equivocation');
      expect((await world.ground.factKinds()).filter((kind) => kind === 'record.equivocated')).toHaveLength(1);
      expect(await world.outcome(record)).toBe('repeated');
    });

    it('repeat also when they could not be accepted any more', async () => {
      const record = world.record('bank-b', refB, ++n, rated(600));
      expect(await world.outcome(record)).toBe('new');
      await world.subjects.endLink(subject, refB);
      expect(await world.outcome(record)).toBe('repeated');
      expect(await world.outcome(world.record('bank-b', refB, ++n, rated(600)))).toBe('link.ended');
      const owed = world.record('bank-b', refB, ++n, { kind: 'withdrawal', withdrawal: { replaces: record.jti } });
      expect(await world.outcome(owed)).toBe('new');
    });
  });

  describe('each kind has its effect', () => {
    beforeAll(newCustomer);
    const scoreAfter = async (record: ReturnType<ExchangeWorld['record']>) => {
      expect(await world.outcome(record)).toBe('new');
      return (await world.standing(subject)).score.value;
    };

    it('rating, correction, withdrawal', async () => {
      const first = world.record('bank-a', refA, ++n, rated(820));
      expect(await scoreAfter(first)).toBe(725);
      const better = world.record('bank-a', refA, ++n, { kind: 'correction', correction: { replaces: first.jti, rating: rating(950) } });
      expect(await scoreAfter(better)).toBe(774);
      const gone = { kind: 'withdrawal' as const, withdrawal: { replaces: first.jti } };
      expect(await world.outcome(world.record('bank-a', refA, ++n, gone))).toBe('record.not_in_force');
      expect(await scoreAfter(world.record('bank-a', refA, ++n, { ...gone, withdrawal: { replaces: better.jti } }))).toBe(574);
    });

    it('a violation stops services; the banks hear of it and of its clearance', async () => {
      await Promise.all([world.hear('bank-a'), world.hear('bank-b')]);
      const reported = world.record('bank-b', refB, ++n, severe);
      await scoreAfter(reported);
      const { restrictions } = await world.standing(subject);
      expect(restrictions).toMatchObject([{ step: 'SERVICE_STOP', services: [], reason: { code: 'FRAUD_CONFIRMED' }, startsAt: startAt }]);
      const [toldA, toldB] = [await world.hear('bank-a'), await world.hear('bank-b')];
      expect(toldA.map(({ kind, ref }) => [kind, ref])).toEqual([
        ['rating.changed', formatId('lnk', refA)],
        ['restriction.imposed', formatId('lnk', refA)],
      ]);
      expect(JSON.stringify(toldA)).not.toMatch(/FRAUD|bank-b|SEVERE/);
      expect(toldB[1]?.body['record']).toBe(reported.jti);
      expect(toldB[1]?.body['restriction']).not.toBe(toldA[1]?.body['restriction']);

      await world.subjects.endLink(subject, refA);
      await world.hear('bank-a');
      const cleared = world.record('bank-b', refB, ++n, { kind: 'clearance', clearance: { clears: reported.jti } });
      // Two more than before: the link that ended is no inquiry any more.
      expect(await scoreAfter(cleared)).toBe(576);
      expect((await world.standing(subject)).restrictions).toEqual([]);
      expect(await world.hear('bank-a')).toMatchObject([
        { kind: 'restriction.lifted', body: { restriction: toldA[1]?.body['restriction'], why: 'CLEARED' } },
      ]);
    });
  });

  describe('time', () => {
    beforeAll(newCustomer);

    it('ends a restriction and a rating by itself, and the banks hear it', async () => {
      await world.send(world.record('bank-a', refA, ++n, rated(820)));
      await world.send(world.record('bank-b', refB, ++n, { kind: 'violation', violation: violation('MINOR', startAt) }));
      expect((await world.standing(subject)).restrictions).toMatchObject([{ services: ['pay-later'] }]);
      await world.hear('bank-a');
      world.clock.set(new Date(startAt.getTime() + 90 * DAY_MS - 1));
      await world.review.run();
      expect((await world.standing(subject)).restrictions).toHaveLength(1);
      world.clock.advance(1);
      expect(await world.review.run()).toBeGreaterThan(0);
      expect(await world.standing(subject)).toMatchObject({ restrictions: [], score: { value: 574 } });
      const told = (await world.hear('bank-a')).filter(({ ref }) => ref === formatId('lnk', refA));
      expect(told.map(({ kind, body }) => [kind, body['why']])).toEqual([
        ['rating.changed', undefined],
        ['restriction.lifted', 'ENDED'],
      ]);
      expect(await world.review.run()).toBe(0);
      world.clock.set(startAt);
    });
  });

  describe('polling', () => {
    const ask = { maxEvents: 100, returnImmediately: true, ack: [], setErrs: {} };

    it('is at least once, in pages, and says whether more is available', async () => {
      const ids = [await world.subject(), await world.subject(), await world.subject()];
      for (const id of ids) await world.link(id, 'bank-d');
      const first = await world.poll.run('bank-d', { ...ask, maxEvents: 2 });
      expect([Object.keys(first.sets).length, first.moreAvailable]).toEqual([2, true]);
      expect(await world.poll.run('bank-d', { ...ask, maxEvents: 2 })).toEqual(first);
      const rest = await world.poll.run('bank-d', { ...ask, ack: Object.keys(first.sets) });
      expect([Object.keys(rest.sets).length, rest.moreAvailable]).toEqual([1, false]);
      const token = claimsOf(Object.values(rest.sets)[0]!);
      expect(token).toMatchObject({ iss: 'https://gateway.test', aud: 'bank-d', jti: Object.keys(rest.sets)[0] });
    });

    it('lets nobody acknowledge for another', async () => {
      const { sets } = await world.poll.run('bank-d', ask);
      await world.poll.run('bank-e', { ...ask, ack: Object.keys(sets) });
      expect(await world.poll.run('bank-d', ask)).toEqual({ sets, moreAvailable: false });
      await world.poll.run('bank-d', { ...ask, ack: Object.keys(sets) });
    });

    it('holds back only the subject of a failed event, until its next try', async () => {
      const [one, two] = [await world.subject(), await world.subject()];
      const ref = await world.link(one, 'bank-f');
      await world.subjects.endLink(one, ref);
      await world.link(two, 'bank-f');
      const kinds = async (change: object) =>
        Object.values((await world.poll.run('bank-f', { ...ask, ...change })).sets).map(
          (token) => Object.keys(claimsOf(token)['events'] as object)[0],
        );
      const [failed] = Object.keys((await world.poll.run('bank-f', ask)).sets);
      expect(await kinds({ setErrs: { [failed!]: { err: 'database_down' } } })).toEqual(['urn:tallystick:event:link.created']);
      world.clock.advance(10_000);
      expect(await kinds({})).toHaveLength(3);
      world.clock.set(startAt);
    });

    it('waits when asked to, and no longer than promised', async () => {
      expect(await world.poll.run('bank-g', { ...ask, returnImmediately: false })).toEqual({ sets: {}, moreAvailable: false });
      expect(world.clock.now().getTime() - startAt.getTime()).toBe(25_000);
      world.clock.set(startAt);
      const waiting = world.poll.run('bank-g', { ...ask, returnImmediately: false });
      await world.link(await world.subject(), 'bank-g');
      expect(Object.keys((await waiting).sets)).toHaveLength(1);
      world.clock.set(startAt);
    });
  });
}
