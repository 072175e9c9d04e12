import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JsonObject, signJws } from '#evidence';
import { formatId, type ShardedId, SHARDS, systemClock } from '#kernel';
import { rating, recordHead } from '#records/testing/records';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

const STATEMENT_MS_MAX = 500;
const HEADS = 'LOCK TABLE shard_heads IN EXCLUSIVE MODE';

/** Does `work` while somebody else holds a lock for longer than anybody may wait. */
async function whileHeld<T>(url: string, lock: string, work: () => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  try {
    await owner.query(`BEGIN; ${lock}`);
    return await work();
  } finally {
    await owner.end();
  }
}

describe('decision-api on a database that does not come to an end', () => {
  let world: DecisionWorld;
  beforeAll(async () => void (world = await decisionWorld({ DATABASE_STATEMENT_MS_MAX: String(STATEMENT_MS_MAX) })));
  afterAll(() => world?.close());
  const held = <T>(lock: string, work: () => Promise<T>) => whileHeld(world.fresh.url, lock, work);

  it('says that it does not know what became of a decision; the same key tells, and nothing was spent twice', async () => {
    const [body, key] = [reserveBody(await world.newSubject()), newKey()];
    const { status, headers, body: problem } = await held(HEADS, () => world.http('POST', '/v1/decisions', { body, key }));
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect([status, headers.get('retry-after'), problem['code']]).toEqual([503, '1', 'outcome.unknown']);
    for (let n = 0; n < 2; n++) {
      expect((await world.http('POST', '/v1/decisions', { body, key })).body).toMatchObject({ outcome: 'ALLOW' });
    }
    expect(await world.fresh.database.query('SELECT count(*) FROM reservations')).toEqual([{ count: 1n }]);
  });

  it('refuses a crowd of decisions in the time of one: nobody is tried alone', async () => {
    const subjects = await Promise.all(Array.from({ length: 40 }, () => world.newSubject()));
    const answers = await held(HEADS, () =>
      Promise.all(subjects.map((subject) => world.http('POST', '/v1/decisions', { body: reserveBody(subject), key: newKey() }))),
    );
    expect(new Set(answers.map(({ body }) => body['code']))).toEqual(new Set(['outcome.unknown']));
  });

  it('says over HTTP and gRPC that a read was given up, and reads when it can', async () => {
    const subject = await world.newSubject();
    const lock = 'LOCK TABLE standings IN ACCESS EXCLUSIVE MODE';
    const read = () => world.http('GET', `/v1/subjects/${subject}/standing`);
    const { status, headers, body } = await held(lock, read);
    expect([status, headers.get('retry-after'), body['code']]).toEqual([503, '1', 'database.timeout']);
    expect((await read()).status).toBe(200);
    const reservationId = formatId('rsv', { shard: SHARDS[0]!, uuid: randomUUID() });
    const asked = () => world.grpc('getReservation', { reservationId });
    const reservations = 'LOCK TABLE reservations IN ACCESS EXCLUSIVE MODE';
    await expect(held(reservations, asked)).rejects.toMatchObject({ code: 14, problem: 'database.timeout', retryAfter: '1' });
  });
});

describe('the gateway on a database that does not come to an end', () => {
  let world: GatewayWorld;
  let ref: ShardedId;
  beforeAll(async () => {
    world = await openGatewayWorld({ statementMsMax: STATEMENT_MS_MAX });
    const subjects = new Subjects(new PgExchange(world.fresh.database), nodeClerk, systemClock);
    const { id } = await subjects.register({ caller: 'checkout', key: newKey(), kind: 'INDIVIDUAL' });
    ({ ref } = (await subjects.link(id, { participant: 'bank-a' })).link);
  }, 60_000);
  afterAll(() => world?.close());
  const held = <T>(lock: string, work: () => Promise<T>) => whileHeld(world.fresh.url, lock, work);
  const bank = () => world.client('bank-a');

  it('says that it does not know what became of a record; sent again, it is accepted once', async () => {
    const signed = (seq: number) => {
      const record = { ...recordHead('bank-a', ref, seq, new Date()), kind: 'rating', rating: rating(700) };
      return signJws('credit-record+jwt', record as JsonObject, world.signers['bank-a']);
    };
    const sender = (jws: string) => async () => await world.call(bank(), '/v1/records', 'post').type('application/jose').send(jws);
    // With the first record of a bank its certificate is kept: from then on nothing but the record is saved.
    expect((await sender(signed(1))()).status).toBe(201);
    const send = sender(signed(2));
    const lost = await held(HEADS, send);
    expect([lost.status, lost.type, lost.headers['retry-after']]).toEqual([503, 'application/problem+json', '1']);
    expect(lost.body).toMatchObject({ code: 'outcome.unknown' });
    expect([(await send()).status, (await send()).status]).toEqual([201, 200]);
  });

  it('says that a change was undone, also where Prisma made it, and makes it when it is asked again', async () => {
    const jwk = { ...world.signers['bank-b'].publicJwk, kid: 'bank-a-2' };
    const announce = async () => await world.call(bank(), '/v1/participants/me/keys', 'post').send({ jwk });
    const lost = await held('LOCK TABLE participant_keys IN EXCLUSIVE MODE', announce);
    expect([lost.status, lost.headers['retry-after'], (lost.body as { code: string }).code]).toEqual([503, '1', 'database.timeout']);
    expect((await announce()).status).toBe(201);
  });
});
