import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PgLogStore } from '#audit/adapters/pg-log-store';
import { type JsonObject, signJws } from '#evidence';
import { type ShardedId, systemClock } from '#kernel';
import { rating, recordHead } from '#records/testing/records';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

describe('decision-api on a database that was put back from an older copy', () => {
  let world: DecisionWorld;
  beforeAll(async () => void (world = await decisionWorld()));
  afterAll(() => world?.close());

  const countRows = () =>
    world.fresh.database.query('SELECT (SELECT count(*) FROM decisions) AS decisions, (SELECT sum(last_seq) FROM shard_heads) AS facts');

  it('decides, confirms and changes nothing from when the sealer saw it, says why, and still evaluates', async () => {
    const held = await world.http('POST', '/v1/decisions', { body: reserveBody(await world.newSubject()), key: newKey() });
    const { reservation, amount } = held.body as { reservation: { id: string }; amount: object };
    const [subject, log] = [await world.newSubject(), new PgLogStore(world.fresh.database)];
    await log.stopFacts();
    const before = await countRows();
    const ask = { body: reserveBody(subject), key: newKey() };
    const refused = await world.http('POST', '/v1/decisions', ask);
    expect([refused.status, refused.headers.get('retry-after'), refused.body['code']]).toEqual([503, '30', 'log.rolled_back']);
    const confirm = () => world.http('POST', `/v1/reservations/${reservation.id}/confirm`, { body: { amount } });
    expect(await confirm()).toMatchObject({ status: 503, body: { code: 'log.rolled_back' } });
    await expect(world.grpc('decide', { ...reserveBody(subject), idempotencyKey: newKey() })).rejects.toMatchObject({
      code: 14,
      problem: 'log.rolled_back',
    });
    const evaluated = await world.http('POST', '/v1/decisions', { body: { ...reserveBody(subject), mode: 'EVALUATE' } });
    expect(evaluated.status).toBe(200);
    expect(await countRows()).toEqual(before);
    await log.letFactsGoOn();
    expect((await world.http('POST', '/v1/decisions', ask)).body).toMatchObject({ outcome: 'ALLOW' });
    expect((await confirm()).status).toBe(200);
  });
});

describe('the gateway on a database that was put back from an older copy', () => {
  let world: GatewayWorld;
  let ref: ShardedId;
  beforeAll(async () => {
    world = await openGatewayWorld();
    const subjects = new Subjects(new PgExchange(world.fresh.database), nodeClerk, systemClock);
    const { id } = await subjects.register({ caller: 'checkout', key: newKey(), kind: 'INDIVIDUAL' });
    ({ ref } = (await subjects.link(id, { participant: 'bank-a' })).link);
  }, 60_000);
  afterAll(() => world?.close());

  it('accepts no record and no key, says why, and does when it is recovered', async () => {
    const bank = world.client('bank-a');
    const record = { ...recordHead('bank-a', ref, 1, new Date()), kind: 'rating', rating: rating(700) };
    const jws = await signJws('credit-record+jwt', record as JsonObject, world.signers['bank-a']);
    const jwk = { ...world.signers['bank-b'].publicJwk, kid: 'bank-a-2' };
    const calls = [
      async () => await world.call(bank, '/v1/records', 'post').type('application/jose').send(jws),
      async () => await world.call(bank, '/v1/participants/me/keys', 'post').send({ jwk }),
    ];
    const log = new PgLogStore(world.fresh.database);
    await log.stopFacts();
    for (const call of calls) {
      const { status, headers, body } = await call();
      expect([status, headers['retry-after'], (body as { code: string }).code]).toEqual([503, '30', 'log.rolled_back']);
    }
    await log.letFactsGoOn();
    for (const call of calls) expect((await call()).status).toBe(201);
  });
});
