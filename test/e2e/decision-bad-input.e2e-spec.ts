import 'reflect-metadata';
import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESERVE_LIMITS } from '#decisions';
import { formatId } from '#kernel';
import { GRPC_LIMITS } from '../../apps/decision-api/src/grpc-connections.js';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';
import { tableContents } from '../world/table-contents.js';

let world: DecisionWorld;
let subject: string;

beforeAll(async () => {
  world = await decisionWorld();
  subject = await world.newSubject();
});
afterAll(() => world?.close());

const decide = (change: object = {}, key?: string, token?: string) =>
  world.http('POST', '/v1/decisions', {
    body: reserveBody(subject, change),
    key: key ?? newKey(),
    ...(token === undefined ? {} : { token }),
  });
const amount = (text: string, currency = 'CNY') => ({ amount: { amount: text, currency } });
const settle = (reservation: string, step: string, body: object = {}, call: object = {}) =>
  world.http('POST', `/v1/reservations/${reservation}/${step}`, { body, ...call });

async function reserve(change: object = {}): Promise<string> {
  const { body } = await decide(change);
  return (body as unknown as { reservation: { id: string } }).reservation.id;
}

/** A RESERVE as bytes, each character one; answers all that came back. */
function raw(host: string, body: string): Promise<string> {
  const { port } = world.app.getHttpServer().address() as AddressInfo;
  const head = `authorization: Bearer ${world.token()}\r\nidempotency-key: ${newKey()}\r\ncontent-type: application/json`;
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (data) => (answer += data.toString('latin1'))).once('close', () => resolve(answer));
    socket.write(
      `POST /v1/decisions HTTP/1.1\r\n${host}\r\n${head}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
      'latin1',
    );
  });
}

/** Nothing of any table has changed when `work` is over. */
async function changingNothing<T>(work: () => Promise<T>): Promise<T> {
  const before = await tableContents(world.fresh.url);
  const result = await work();
  expect(await tableContents(world.fresh.url)).toEqual(before);
  return result;
}

/** Holds the head rows: whatever has to be decided waits until `work` is over. */
async function whileLedgerWaits<T>(work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: world.fresh.url });
  await client.connect();
  try {
    await client.query('BEGIN; SELECT shard FROM shard_heads ORDER BY shard FOR UPDATE');
    return await work();
  } finally {
    await client.query('ROLLBACK');
    await client.end();
  }
}

const nobody = formatId('sub', { shard: 0, uuid: '01890000-0000-7000-8000-000000000001' });
const nothing = formatId('rsv', { shard: 0, uuid: '01890000-0000-7000-8000-000000000001' });

type Row = [what: string, status: number, grpc: number, code: string, change: object];
const BAD: Row[] = [
  ['an unknown subject', 404, 5, 'subject.unknown', { subject: nobody }],
  ['a subject that is none', 400, 3, 'id.malformed', { subject: 'bob' }],
  ['an unknown service', 422, 3, 'service.unknown', { service: 'teleport' }],
  ['an unknown currency', 422, 3, 'currency.unknown', amount('1', 'XQQ')],
  ['a currency that is not the policy’s', 422, 3, 'currency.unsupported', amount('1', 'EUR')],
  ['an amount of zero', 422, 3, 'amount.not_positive', amount('0.00')],
  ['a negative amount', 400, 3, 'amount.malformed', amount('-1.00')],
  ['too many decimals', 422, 3, 'amount.precision', amount('1.001')],
  ['an amount above 10^15 minor units', 422, 3, 'amount.too_large', amount('10000000000000.01')],
];

/** What of the request is at fault, as a JSON pointer. */
function fieldOf(change: object, code: string): string {
  const [member] = Object.keys(change);
  return member === 'amount' ? `/amount/${code.startsWith('currency.') ? 'currency' : 'amount'}` : `/${member!}`;
}

describe('bad input changes nothing', () => {
  it.each(BAD)('%s: %i over HTTP, status %i over gRPC, %s', async (_what, status, grpc, code, change) => {
    await changingNothing(async () => {
      const over = await decide(change);
      expect([over.status, over.body['code']]).toEqual([status, code]);
      expect(over.body['field']).toBe(fieldOf(change, code));
      const batch = await world.http('POST', '/v1/decisions:batch', {
        body: { items: [{ ...reserveBody(subject, change), key: newKey() }] },
      });
      expect(batch.body).toMatchObject({ results: [{ problem: { code, status } }] });
      const evaluated = await decide({ ...change, mode: 'EVALUATE' });
      expect([evaluated.status, evaluated.body['code']]).toEqual([status, code]);
      await expect(world.grpc('Decide', { ...reserveBody(subject, change), idempotencyKey: newKey() })).rejects.toMatchObject({
        code: grpc,
        problem: code,
      });
    });
  });

  it.each<[what: string, code: string, host: string, spoil: (json: string) => string]>([
    ['two Host headers', 'host.duplicate', 'Host: evil.example\r\nHost: localhost', (json) => json],
    ['a name that stands twice', 'request.malformed', 'Host: localhost', (json) => json.replace('{', '{"service":"pay-later",')],
    [
      'a name that stands twice further in',
      'request.malformed',
      'Host: localhost',
      (json) => json.replace('{"amount":"', '{"amount":"9","amount":"'),
    ],
    ['a name spelt in two ways', 'request.malformed', 'Host: localhost', (json) => json.replace('{', '{"m\\u006fde":"EVALUATE",')],
    ['bytes that are no UTF-8', 'request.malformed', 'Host: localhost', (json) => json.replace('checkout', 'check\xff')],
    ['a body that is no object', 'request.malformed', 'Host: localhost', (json) => `[${json}]`],
    ['no body', 'request.malformed', 'Host: localhost', () => ''],
  ])('%s: 400 %s', async (_what, code, host, spoil) => {
    await changingNothing(async () => {
      const answer = await raw(host, spoil(JSON.stringify(reserveBody(subject))));
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain(`"code":"${code}"`);
    });
  });

  it('an amount of exactly 10^15 minor units is an answer, not a refusal', async () => {
    expect(await decide(amount('10000000000000.00'))).toMatchObject({ status: 200, body: { outcome: 'DENY' } });
  });

  it('a key used again with another body: 422', async () => {
    const key = newKey();
    await decide({}, key);
    await changingNothing(async () => {
      for (const change of [
        amount('10.01'),
        { service: 'pay-later' },
        { counterparty: 'shop' },
        { holdSeconds: 60 },
        { paymentReference: 'P' },
      ])
        expect(await decide(change, key)).toMatchObject({ status: 422, body: { code: 'idempotency.key_reused' } });
      await expect(world.grpc('Decide', { ...reserveBody(subject, amount('10.01')), idempotencyKey: key })).rejects.toMatchObject({
        problem: 'idempotency.key_reused',
      });
    });
  });

  it('a key that none can be', async () => {
    for (const path of ['decisions', 'decisions:linked']) {
      expect(await world.http('GET', `/v1/${path}?subject=${subject}&key=short`)).toMatchObject({
        status: 400,
        body: { code: 'idempotency.key_malformed' },
      });
      expect(await world.http('GET', `/v1/${path}?subject=${subject}&key=abcdefgh%00`)).toMatchObject({
        status: 400,
        body: { code: 'request.malformed' },
      });
    }
    for (const method of ['FindDecision', 'FindLinked'])
      await expect(world.grpc(method, { subject, idempotencyKey: 'abcdefgh\u0000' })).rejects.toMatchObject({
        code: 3,
        problem: 'idempotency.key_malformed',
      });
  });

  it('a key that is still in flight after two seconds: 409, and the first call is answered', async () => {
    const key = newKey();
    const first = await whileLedgerWaits(async () => {
      const answered = decide({}, key);
      const again = await decide({}, key);
      expect(again).toMatchObject({ status: 409, body: { code: 'idempotency.in_flight', retryAfterSeconds: 1 } });
      expect(again.headers.get('retry-after')).toBe('1');
      return { answered };
    });
    const { body } = await first.answered;
    expect(body).toMatchObject({ outcome: 'ALLOW' });
    expect((await decide({}, key)).body).toEqual(body);
  });
});

describe('a reservation that cannot be settled so stays as it is', () => {
  it.each<[what: string, reservation: () => Promise<string>, step: string, body: object, service: string, status: number, code: string]>([
    ['unknown', async () => nothing, 'confirm', {}, 'checkout-service', 404, 'reservation.unknown'],
    ['malformed', async () => 'rsv_x', 'confirm', {}, 'checkout-service', 400, 'id.malformed'],
    ['another caller’s', () => reserve(), 'confirm', {}, 'another-service', 404, 'reservation.unknown'],
    ['another caller’s', () => reserve(), 'release', {}, 'another-service', 404, 'reservation.unknown'],
    ['confirmed above the reserved', () => reserve(), 'confirm', amount('10.01'), 'checkout-service', 422, 'reservation.above_reserved'],
    ['confirmed with nothing', () => reserve(), 'confirm', amount('0.00'), 'checkout-service', 422, 'reservation.above_reserved'],
    ['confirmed in another currency', () => reserve(), 'confirm', amount('1.00', 'EUR'), 'checkout-service', 422, 'currency.unsupported'],
    ['refunded before its confirm', () => reserve(), 'refund', {}, 'checkout-service', 409, 'reservation.settled'],
    ['confirmed after its release', () => settled('release'), 'confirm', {}, 'checkout-service', 409, 'reservation.settled'],
    ['released after its confirm', () => settled('confirm'), 'release', {}, 'checkout-service', 409, 'reservation.settled'],
    [
      'refunded above its confirm',
      () => settled('confirm'),
      'refund',
      amount('10.01'),
      'checkout-service',
      422,
      'reservation.above_confirmed',
    ],
  ])('%s', async (_what, make, step, body, service, status, code) => {
    const reservation = await make();
    const token = world.token(undefined, service);
    await changingNothing(async () => {
      const answer = await settle(reservation, step, body, { key: newKey(), token });
      expect([answer.status, answer.body['code']]).toEqual([status, code]);
      const method = step[0]!.toUpperCase() + step.slice(1);
      await expect(world.grpc(method, { reservationId: reservation, ...body, idempotencyKey: newKey() }, token)).rejects.toMatchObject({
        problem: code,
      });
    });
  });

  async function settled(step: string): Promise<string> {
    const reservation = await reserve();
    expect((await settle(reservation, step)).status).toBe(200);
    return reservation;
  }

  it('run out', async () => {
    const reservation = await reserve({ holdSeconds: 1 });
    await expect
      .poll(
        async () =>
          (
            await world.fresh.database.query(
              `SELECT 1 FROM reservations WHERE expires_at > clock_timestamp() AND expires_at < clock_timestamp() + interval '1 s'`,
            )
          ).length,
        { timeout: 20_000 },
      )
      .toBe(0);
    await changingNothing(async () => {
      for (const step of ['confirm', 'release'])
        expect(await settle(reservation, step)).toMatchObject({ status: 409, body: { code: 'reservation.expired' } });
    });
  });

  it('a refund without a key, a key refunded with another amount', async () => {
    const reservation = await settled('confirm');
    const key = newKey();
    expect(await settle(reservation, 'refund', {})).toMatchObject({ status: 400, body: { code: 'idempotency.key_missing' } });
    await settle(reservation, 'refund', amount('1.00'), { key });
    await changingNothing(async () => {
      expect(await settle(reservation, 'refund', amount('2.00'), { key })).toMatchObject({
        status: 422,
        body: { code: 'idempotency.key_reused' },
      });
    });
  });
});

describe('overload', () => {
  it('is refused while the ledger still waits, with a time to come back, and who waits is answered', async () => {
    const batches = Math.ceil((RESERVE_LIMITS.queueItemsMax + RESERVE_LIMITS.inFlightMax * RESERVE_LIMITS.itemsMax) / 100) + 1;
    const subjects = await Promise.all(Array.from({ length: 100 }, () => world.newSubject()));
    const body = { items: subjects.map((one) => ({ ...reserveBody(one, amount('0.01')), service: 'marketplace' })) };
    const keyed = () => ({ items: body.items.map((item) => ({ ...item, key: newKey() })) });
    const waiting = await whileLedgerWaits(async () => {
      const sent = Array.from({ length: batches }, () => world.http('POST', '/v1/decisions:batch', { body: keyed() }));
      await expect.poll(async () => (await decide({ mode: 'RESERVE' })).status, { timeout: 30_000, interval: 5 }).toBe(503);
      const refused = await decide();
      expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded', retryAfterSeconds: 1 } });
      expect(refused.headers.get('retry-after')).toBe('1');
      await expect(world.grpc('Decide', { ...reserveBody(subject), idempotencyKey: newKey() })).rejects.toMatchObject({
        code: 14,
        problem: 'overloaded',
        retryAfter: '1',
      });
      return { sent };
    });
    const answers = await Promise.all(waiting.sent);
    const results = answers.flatMap(
      ({ body: answer }) => (answer as unknown as { results: { answer?: object; problem?: { code: string } }[] }).results,
    );
    const answered = results.filter((result) => result.answer).length;
    expect(answered).toBeGreaterThan(0);
    expect(new Set(results.flatMap(({ problem }) => (problem ? [problem.code] : [])))).toEqual(new Set(['overloaded']));
    const [row] = await world.fresh.database.query<{ count: bigint }>(`SELECT count(*) FROM decisions WHERE service = 'marketplace'`);
    expect(Number(row!.count)).toBe(answered);
  });
});

it('one gRPC connection is told how many calls it may have under way', async () => {
  const session = http2.connect(`http://127.0.0.1:${world.config.DECISION_GRPC_PORT}`);
  const [settings] = (await once(session, 'remoteSettings')) as [http2.Settings];
  session.destroy();
  expect(settings.maxConcurrentStreams).toBe(GRPC_LIMITS.streamsMax);
});
