import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Consent } from '#consents';
import { type RatingClaim } from '#contract';
import { type ShardedId, systemClock } from '#kernel';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { performance, rating, violation } from '#records/testing/records';
import { Disputes } from '../dispute/disputes.js';
import { Restrictions } from '../restrictions.js';
import { DisclosureWorld } from '../testing/disclosure-world.js';
import { nodeClerk } from './node-notary.js';
import { PgDisputeReader } from './pg-dispute-reader.js';
import { PgExchange } from './pg-exchange.js';

const about = { reason: { code: 'CASE', text: 'seen' }, evidence: { digest: 'c'.repeat(64), reference: 'case-1' } };
const PAID = { kind: 'performance', performance: performance('11') };

describe('what was read of a rating', () => {
  let fresh: FreshDatabase;
  let world: DisclosureWorld;
  let disputes: Disputes;
  let restrictions: Restrictions;
  beforeAll(async () => {
    fresh = await freshDatabase();
    world = new DisclosureWorld(fresh.database);
    const exchange = new PgExchange(fresh.database);
    disputes = new Disputes(exchange, nodeClerk, systemClock);
    restrictions = new Restrictions(exchange, nodeClerk, systemClock);
  });
  afterAll(() => fresh.close());

  type Somebody = { readonly subject: ShardedId; readonly ref: ShardedId };
  const reader = async (of: Somebody, ...claims: RatingClaim[]) => world.granted(of, { claims });
  const read = async (consent: Consent) => (await world.credential(consent)).credential;
  const statusesOf = (credentials: readonly string[]) => Promise.all(credentials.map((credential) => world.statusOf(credential)));
  const violate = (of: Somebody) => world.report(of.ref, { kind: 'violation', violation: violation('MAJOR', new Date()) });
  const withdraw = (of: Somebody, jti: string) =>
    world.report(of.ref, { kind: 'withdrawal', withdrawal: { replaces: jti, reason: 'ERROR' } });
  const dispute = async (of: Somebody, jti: string) => {
    const wish = { openedBy: 'SUBJECT' as const, caller: 'wallet', key: randomUUID(), code: 'INACCURATE' as const };
    const { dispute } = await disputes.open(of.subject, { ...wish, record: { iss: 'bank-a', jti } });
    return { shard: of.subject.shard, uuid: dispute.id };
  };
  const answer = (id: ShardedId, given: Parameters<Disputes['answer']>[2]) =>
    disputes.answer('bank-a', id, given, { participant: 'bank-a', body: new Uint8Array() });

  it('stands until the consent is revoked, is suspended while it is paused, and falls with a record it rests on', async () => {
    const of = await world.subject();
    const jti = await world.report(of.ref, { kind: 'rating', rating: rating(800) });
    const consent = await world.granted(of);
    const other = await world.granted(of, { purpose: 'COLLECTION' });
    const [paused, kept] = [await read(consent), await read(other)];
    expect(await statusesOf([paused, kept])).toEqual(['VALID', 'VALID']);
    await world.act(consent, { kind: 'PAUSE' });
    expect(await statusesOf([paused, kept])).toEqual(['SUSPENDED', 'VALID']);
    await world.act(consent, { kind: 'RESUME' });
    await withdraw(of, jti);
    const after = await read(other);
    expect(await statusesOf([paused, kept, after])).toEqual(['INVALID', 'INVALID', 'VALID']);
    await world.act(other, { kind: 'REVOKE' });
    expect(await world.statusOf(after)).toBe('INVALID');
  });

  it('falls by what it claims: restrictions with violations only, a moment with nothing', async () => {
    const of = await world.subject(800);
    const paid = await world.report(of.ref, PAID);
    const violated = await violate(of);
    const consents = [await reader(of, 'score'), await reader(of, 'restrictions'), await reader(of, 'asOf')];
    const before = await Promise.all(consents.map(read));
    await world.report(of.ref, {
      kind: 'correction',
      correction: { replaces: paid, performance: { ...performance('11'), account: 'other' } },
    });
    expect(await statusesOf(before)).toEqual(['INVALID', 'VALID', 'VALID']);
    const between = await Promise.all(consents.map(read));
    await withdraw(of, violated);
    expect(await statusesOf(between)).toEqual(['INVALID', 'INVALID', 'VALID']);
  });

  it('does not fall with a record that came after it, nor with one that was cleared', async () => {
    const of = await world.subject(800);
    const first = await violate(of);
    const credential = await read(await reader(of, 'score', 'restrictions'));
    await withdraw(of, await world.report(of.ref, PAID));
    await world.report(of.ref, { kind: 'clearance', clearance: { clears: first } });
    expect(await world.statusOf(credential)).toBe('VALID');
  });

  it('falls where it told a restriction that an appeal overturned, and no other', async () => {
    const of = await world.subject(800);
    const early = await read(await reader(of, 'restrictions'));
    await violate(of);
    const told = [await read(await reader(of, 'restrictions', 'band')), await read(await reader(of, 'band'))];
    const [row] = await fresh.database.query<{ id: string }>('SELECT id FROM restrictions WHERE shard = $1 AND subject = $2', [
      of.subject.shard,
      of.subject.uuid,
    ]);
    const restriction = row!.id;
    await restrictions.appeal(of.subject, restriction, { caller: 'wallet', key: randomUUID(), grounds: { code: 'NOT_ME' } as never });
    const order = { action: { kind: 'OVERTURN' as const, restriction }, ...about };
    const { request } = await restrictions.order(of.subject, { order, by: 'ann', key: randomUUID() });
    expect(await statusesOf([early, ...told])).toEqual(['VALID', 'VALID', 'VALID']);
    await restrictions.decide(of.subject, request.id, true, 'ben');
    const late = await read(await reader(of, 'restrictions'));
    expect(await statusesOf([early, ...told, late])).toEqual(['VALID', 'INVALID', 'VALID', 'VALID']);
  });

  it('is suspended while a record is disputed that it does not show as disputed; then it stands again, or falls', async () => {
    const of = await world.subject(800);
    const jti = await world.report(of.ref, PAID);
    const consent = await reader(of, 'band');
    const before = await read(consent);
    const first = await dispute(of, jti);
    const flagged = await read(consent);
    expect(await statusesOf([before, flagged])).toEqual(['SUSPENDED', 'VALID']);
    await answer(first, { answer: 'VERIFIED', evidenceDigest: 'e'.repeat(64) });
    expect(await statusesOf([before, flagged])).toEqual(['VALID', 'VALID']);
    const another = await world.report(of.ref, { ...PAID, performance: { ...performance('11'), account: 'second' } });
    await answer(await dispute(of, another), { answer: 'WITHDRAWN' });
    expect(await world.statusOf(before)).toBe('VALID');
  });

  it('falls with a record that a dispute removed: withdrawn by the answer, or lost by silence', async () => {
    for (const end of ['WITHDRAWN', 'SILENT'] as const) {
      const of = await world.subject(800);
      const jti = await world.report(of.ref, PAID);
      const before = await read(await reader(of, 'factors'));
      const id = await dispute(of, jti);
      if (end === 'WITHDRAWN') await answer(id, { answer: 'WITHDRAWN' });
      else {
        await fresh.database.query(
          `UPDATE disputes SET rung = '{NOTICE,DUE_SOON}', due_at = now() - interval '1 second', next_ring_at = now() - interval '1 second'
            WHERE shard = $1 AND id = $2`,
          [id.shard, id.uuid],
        );
        await disputes.ring(new PgDisputeReader(fresh.database));
      }
      expect([end, await world.statusOf(before)]).toEqual([end, 'INVALID']);
    }
  });
});

describe('a link that a release ended which knew nothing of consents', () => {
  let fresh: FreshDatabase;
  let world: DisclosureWorld;
  beforeAll(async () => {
    fresh = await freshDatabase();
    world = new DisclosureWorld(fresh.database);
  });
  afterAll(() => fresh.close());

  it('ends what is read under it at once, repetitions too, and what was read; a sweep writes it down', async () => {
    const of = await world.subject(800);
    const [consent, threshold] = [await world.granted(of), await world.granted(of, { threshold: { atLeast: 600 } })];
    const key = 'kept-for-later';
    const { credential } = await world.credential(consent, { key });
    expect(await world.outcome(threshold)).toBe('Y');
    // What the release before does, and no more.
    await fresh.database.query(`UPDATE links SET state = 'ENDED', ended_at = now() WHERE shard = $1 AND ref = $2`, [
      of.ref.shard,
      of.ref.uuid,
    ]);
    const outcomes = [await world.outcome(consent), await world.outcome(consent, { key }), await world.outcome(threshold)];
    expect(outcomes).toEqual(['consent.required', 'consent.required', 'consent.required']);
    expect(await world.statusOf(credential)).toBe('INVALID');
    expect(await world.count('consents', `state = 'ACTIVE'`)).toBe(2);
    const { consentExpiry } = await import('./consents.module.js');
    expect([await consentExpiry(fresh.database).run(), await consentExpiry(fresh.database).run()]).toEqual([2, 0]);
    expect(await world.count('consents', `state = 'REVOKED' AND changed_by = 'PLATFORM'`)).toBe(2);
    expect(await world.count('events', `kind = 'consent.revoked'`)).toBe(2);
  });
});
