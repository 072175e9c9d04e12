import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId, parseId } from '#kernel';
import { type DisputeStatus, type ProblemError, verifyConsent, verifyRating } from '#sdk';
import { openPeopleWorld, type PeopleWorld, type Person, RECORDS, type SdkBank } from '../world/people-world.js';

/** Consents, ratings and disputes from both ends, with what we publish and nothing else: a bank's SDK and a service's. */

let world: PeopleWorld;
let [a, b] = [] as unknown as [SdkBank, SdkBank];

beforeAll(async () => {
  world = await openPeopleWorld();
  [a, b] = [world.banks['bank-a'], world.banks['bank-b']];
});
afterAll(() => world?.close());

const wish = (sub: string, scope: object = { claims: ['score', 'band'] }) => ({
  sub,
  purpose: 'ACCOUNT_REVIEW' as const,
  fetch: { type: 'PERIODIC' as const, count: 100, every: 'DAY' as const },
  dataLifeSeconds: 3_600,
  expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
  ...scope,
});
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error: ProblemError) => `${error.status} ${error.code}`,
  );
async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const row of rows) taken.push(row);
  return taken;
}

describe('a consent, with the SDK alone', () => {
  it('is asked, granted with less, read under, verified offline, paused, resumed, revoked; both see each version and each read', async () => {
    const { id: subject, refs } = await world.person();
    const asked = await b.client.consents.request(wish(refs['bank-b']));
    const [request] = await all(world.people.consents.list(subject));
    expect(request).toMatchObject({ id: asked.id, recipient: 'bank-b', state: 'REQUESTED', claims: ['score', 'band'] });
    await world.people.consents.grant(subject, asked.id, { claims: ['band'] });
    const { artefact, state } = await b.client.consents.status(asked.id);
    expect(state).toBe('ACTIVE');
    const [keys, issuer] = [await b.client.keys(), world.gateway.config.GATEWAY_ORIGIN];
    const { value } = await verifyConsent(artefact, keys, { issuer, recipient: 'bank-b' });
    expect(value).toMatchObject({
      aud: 'bank-b',
      sub: refs['bank-b'],
      jti: `${asked.id}.2`,
      consent: { claims: ['band'], state: 'ACTIVE' },
    });
    expect(await codeOf(verifyConsent(artefact, keys, { issuer, recipient: 'bank-a' }))).toContain('consent.foreign');

    const read = await b.client.rating(refs['bank-b'], asked.id);
    if (!('credential' in read)) throw new Error('no credential');
    const { value: told } = await verifyRating(read.credential, { keys, issuer, holder: { ownKey: b.publicJwk } });
    expect([told.band, told.score]).toEqual(['BASIC', undefined]);
    await world.people.consents.pause(subject, asked.id);
    expect(await codeOf(b.client.rating(refs['bank-b'], asked.id))).toBe('403 consent.required');
    await world.people.consents.resume(subject, asked.id);
    await world.people.consents.narrow(subject, asked.id, { dataLifeSeconds: 60 });
    await world.people.consents.revoke(subject, asked.id);

    const versions = await all(b.client.consents.versions(asked.id));
    expect(versions.map(({ happened }) => happened.slice('consent.'.length))).toEqual([
      ...['requested', 'granted', 'paused', 'resumed', 'narrowed', 'revoked'],
    ]);
    const [mine, theirs] = [await all(b.client.consents.uses(asked.id)), await all(world.people.consents.uses(subject))];
    expect(mine).toMatchObject([{ n: 1, version: 2, claims: ['band'], purpose: 'ACCOUNT_REVIEW' }]);
    expect(theirs).toMatchObject([{ ...mine[0], consent: asked.id, recipient: 'bank-b', fact: expect.stringMatching(/^fct_/) as string }]);
  });

  it('is listed over all pages; refused and given back', async () => {
    const { id: subject, refs } = await world.person();
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.unshift((await b.client.consents.request(wish(refs['bank-b']))).id);
    expect((await all(b.client.consents.list({ sub: refs['bank-b'] }))).map(({ id }) => id)).toEqual(ids);
    expect((await all(world.people.consents.list(subject))).map(({ id }) => id)).toEqual(ids);
    expect(await world.people.consents.reject(subject, ids[0]!)).toMatchObject({ state: 'REJECTED' });
    expect(await b.client.consents.withdraw(ids[1]!)).toMatchObject({ state: 'REVOKED', by: 'RECIPIENT' });
    await world.people.endLink(subject, refs['bank-b']);
    expect(await b.client.consents.status(ids[2]!)).toMatchObject({ state: 'REVOKED', by: 'PLATFORM' });
  });
});

describe('a dispute, with the SDK alone', () => {
  /** Bank A said something bad of somebody, which bank B has read. */
  async function harmed(): Promise<Person & { readonly jti: string }> {
    const person = await world.person();
    await world.report(a, person.refs['bank-a'], RECORDS.good);
    await world.report(a, person.refs['bank-a'], RECORDS.paid);
    const jti = await world.report(a, person.refs['bank-a'], RECORDS.unpaid);
    const { id } = await b.client.consents.request(wish(person.refs['bank-b']));
    await world.people.consents.grant(person.id, id);
    await b.client.rating(person.refs['bank-b'], id);
    return { ...person, jti };
  }

  async function disputed(person: Person & { readonly jti: string }): Promise<string> {
    const [record] = await all(world.people.disputes.records(person.id, { state: 'IN_FORCE' }));
    expect(record).toMatchObject({ issuer: 'bank-a', jti: person.jti, kind: 'performance', state: 'IN_FORCE' });
    const request = { record: { issuer: 'bank-a', jti: person.jti }, code: 'STATUS_WRONG' as const, statementDigest: 'a'.repeat(64) };
    const key = randomUUID();
    const first = await world.people.disputes.open(person.id, request, key);
    expect((await world.people.disputes.open(person.id, request, key)).id).toBe(first.id);
    return first.id;
  }

  it('is opened, extended and corrected; delivery is shown, and what became of the record', async () => {
    const person = await harmed();
    const id = await disputed(person);
    const waiting = await all(a.client.disputes.list({ state: 'OPEN' }));
    expect(waiting.find((one) => one.id === id)).toMatchObject({ sub: person.refs['bank-a'], record: person.jti, overdue: false });
    const { dueAt } = waiting.find((one) => one.id === id)!;
    await world.people.disputes.add(id, 'b'.repeat(64));
    expect(Date.parse((await a.client.disputes.status(id)).dueAt) - Date.parse(dueAt)).toBe(15 * 86_400_000);
    expect(await codeOf(b.client.disputes.status(id))).toBe('404 dispute.unknown');

    const { performance } = RECORDS.paid;
    const correction = await world.report(a, person.refs['bank-a'], {
      kind: 'correction',
      correction: { replaces: person.jti, performance },
    });
    expect(await a.client.disputes.corrected(id, correction)).toMatchObject({ state: 'CLOSED', outcome: 'CORRECTED' });
    const waits = await b.client.pollEvents();
    await b.client.pollEvents(Object.keys(waits.sets));
    const { notices } = await world.people.disputes.status(id);
    const heard = notices.filter(({ participant }) => participant === 'bank-b');
    expect(heard.map(({ kind }) => kind).sort()).toEqual(['dispute.closed', 'record.corrected']);
    expect(heard.every(({ heardAt }) => heardAt !== undefined)).toBe(true);
    const states = (await all(world.people.disputes.records(person.id))).map(({ kind, state }) => `${kind} ${state}`);
    expect(states).toEqual(['correction IN_FORCE', 'performance CORRECTED', 'performance IN_FORCE', 'rating IN_FORCE']);
    expect(await all(world.people.disputes.list(person.id))).toMatchObject([{ id, state: 'CLOSED' }]);
  });

  it('ends with the record where the bank withdraws it, and lists the decisions that used it', async () => {
    const person = await harmed();
    const ask = { subject: person.id, service: 'checkout', amount: { amount: '10.00', currency: 'CNY' } };
    const { answer } = await world.decisions.reserve(ask, randomUUID());
    const id = await disputed(person);
    expect(await a.client.disputes.withdrawn(id)).toMatchObject({ outcome: 'WITHDRAWN' });
    expect(await a.client.disputes.withdrawn(id)).toMatchObject({ outcome: 'WITHDRAWN' });
    expect(await codeOf(a.client.disputes.verified(id, 'e'.repeat(64)))).toBe('409 dispute.closed');
    expect((await all(world.people.disputes.records(person.id))).find(({ jti }) => jti === person.jti)).toMatchObject({
      state: 'WITHDRAWN',
    });
    expect(await all(world.people.disputes.decisions(id))).toMatchObject([{ id: answer.decisionId }]);
    expect(await all(world.people.disputes.redecide(id))).toMatchObject([{ id: answer.decisionId, was: { outcome: answer.outcome } }]);
  });

  it('is listed page by page, each once, the newest first; a bank sees its own, of the state it asks for', async () => {
    const { refs } = await world.person();
    const flagged: string[] = [];
    for (let n = 0; n < 3; n++) {
      const jti = await world.report(a, refs['bank-a'], {
        ...RECORDS.paid,
        performance: { ...RECORDS.paid.performance, account: `n${n}` },
      });
      flagged.unshift((await a.client.disputes.flag(jti, { code: 'INACCURATE' })).id);
    }
    const page = async (query: string) => {
      const answer = await world.gateway.call(world.gateway.client('bank-a'), `/v1/disputes?${query}`).expect(200);
      return answer.body as { disputes: DisputeStatus[]; next?: string };
    };
    const first = await page('limit=2&state=OPEN');
    expect(first.disputes.map(({ id }) => id)).toEqual(flagged.slice(0, 2));
    const rest = await page(`limit=2&state=OPEN&after=${first.next}`);
    expect(rest.disputes[0]?.id).toBe(flagged[2]);
    const every = (await all(a.client.disputes.list())).map(({ id }) => id);
    expect([new Set(every).size, [...every].sort((x, y) => (stamp(x) < stamp(y) ? 1 : -1))]).toEqual([every.length, every]);
    expect(await all(b.client.disputes.list())).toEqual([]);
    const malformed = world.gateway.call(world.gateway.client('bank-a'), '/v1/disputes?state=LOST');
    expect((await malformed).body).toMatchObject({ code: 'query.malformed', field: '/state' });
    expect(await a.client.disputes.verified(flagged[0]!, 'e'.repeat(64))).toMatchObject({ outcome: 'VERIFIED' });
    expect((await all(a.client.disputes.list({ state: 'OPEN' }))).map(({ id }) => id)).not.toContain(flagged[0]);
    expect(formatId('dsp', parseId('dsp', flagged[0]!))).toBe(flagged[0]);
  });
});

/** Ids are listed by their UUID, whatever shard they are of. */
const stamp = (id: string): string => parseId('dsp', id).uuid;
