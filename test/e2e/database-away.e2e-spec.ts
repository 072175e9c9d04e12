import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addSubjects } from '#decisions/testing/subjects';
import { type JsonObject, signJws } from '#evidence';
import { formatId, parseId } from '#kernel';
import { createLogger } from '#platform';
import { rating, recordHead } from '#records/testing/records';
import { createStaffAccount } from '#staff/adapters/create-staff-account';
import { createConsoleApp } from '../../apps/console/src/console-app.js';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';
import { FOREIGN_CALLS, type OwnedIds, ownOneOfEach } from '../world/foreign-ids.js';
import { type OwnPostgres, ownPostgres } from '../world/own-postgres.js';
import { openPeopleWorld, type PeopleWorld } from '../world/people-world.js';
import { routesOf } from '../world/routes-of.js';

/** While PostgreSQL is away every call that needs it is 503 with a code that says so, and works again when it is back: no process is started anew. */

/** Needs no database, or is answered from memory. */
const WITHOUT = [
  ...['health', 'ready', 'metrics', '.well-known/jwks.json', '.well-known/jwt-vc-issuer', 'v1/schemas', 'v1/policies/schema'],
  ...['v1/participants/me/keys/:kid', 'v1/participants/me/keys/:kid/suspect-records'],
  // Of an analyst: the service that calls here is refused before anything is asked.
  ...['v1/policies/versions', 'v1/backtests'],
];
const SAID: readonly unknown[] = ['database.away', 'outcome.unknown', 'nonce.unconfirmed'];

interface Told {
  readonly status: number;
  readonly type: unknown;
  readonly retryAfter: unknown;
  readonly code: unknown;
}

const toldBy = ({ status, headers, body }: supertest.Response): Told => ({
  status,
  type: headers['content-type'],
  retryAfter: headers['retry-after'],
  code: (body as { code?: unknown } | undefined)?.code,
});

/** What was answered otherwise than it should be, by call. */
function amiss(answers: readonly (readonly [call: string, told: Told])[]): string[] {
  return answers.flatMap(([call, { status, type, retryAfter, code }]) =>
    status === 503 && String(type).startsWith('application/problem+json') && retryAfter === '1' && SAID.includes(code)
      ? []
      : [`${call}: ${status} ${String(code)}`],
  );
}

let postgres: OwnPostgres;
beforeAll(async () => void (postgres = await ownPostgres()));
afterAll(() => postgres?.close());

describe('gateway, decision-api and console while PostgreSQL is stopped', () => {
  let world: PeopleWorld;
  let desk: NestFastifyApplication;
  let deskUrl: string;
  let cookie: string;
  let password: string;
  let owned: OwnedIds;
  let subject: string;
  let reservation: string;
  let decision: string;
  let seq = 100;

  beforeAll(async () => {
    world = await openPeopleWorld();
    owned = await ownOneOfEach(world.gateway);
    subject = formatId('sub', (await addSubjects(world.gateway.fresh.database, 1))[0]!);
    const held = (await apiCall('post', '/v1/decisions', reserveBody(subject))).body as { decisionId: string; reservation: { id: string } };
    [decision, reservation] = [held.decisionId, held.reservation.id];
    desk = await createConsoleApp(world.gateway.config, createLogger('console', 'silent'));
    await desk.listen(0, '127.0.0.1');
    deskUrl = await desk.getUrl();
    ({ password } = (await createStaffAccount(world.gateway.fresh.database, { name: 'cora', role: 'compliance' }))!);
    const signedIn = await signIn().expect(200);
    cookie = (signedIn.headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!;
  }, 120_000);
  afterAll(async () => {
    await desk?.close();
    await world?.close();
  });

  const page = () => ({ origin: new URL(deskUrl).origin, 'x-tallystick-console': '1' });
  const signIn = () => supertest(deskUrl).post('/api/session').set(page()).send({ name: 'cora', password });
  const bank = () => world.gateway.client('bank-a');

  /** Every route of the gateway that reads or acts, as its owner calls it. */
  function gatewayCalls(): [string, () => supertest.Test][] {
    const filled = (path: string, id: string) => `/${path.replace(/:\w+/, id)}`;
    return routesOf(world.gateway.app).flatMap(({ method, path }): [string, () => supertest.Test][] => {
      if (WITHOUT.includes(path) || (method !== 'GET' && method !== 'POST')) return [];
      const row = FOREIGN_CALLS[`${method} /${path.replace(/:(\w+)/g, '{$1}')}`];
      if ((row && 'shared' in row) || (method === 'POST' && !row)) return [];
      const url = row ? filled(path, owned[row.id].theirs) + (row.query?.(owned[row.id].theirs, owned) ?? '') : `/${path}`;
      if (method === 'GET') return [[`GET ${path}`, () => world.gateway.call(bank(), url)]];
      return [
        [
          `POST ${path}`,
          () =>
            world.gateway
              .call(bank(), url, 'post')
              .set('content-type', row!.type ?? 'application/json')
              .send(row!.body),
        ],
      ];
    });
  }

  async function record(): Promise<supertest.Response> {
    const stated = { ...recordHead('bank-a', parseId('lnk', owned.ref.theirs), ++seq, new Date()), kind: 'rating', rating: rating(700) };
    const jws = await signJws('credit-record+jwt', stated as JsonObject, world.gateway.signers['bank-a']);
    return await world.gateway.call(bank(), '/v1/records', 'post').type('application/jose').send(jws);
  }

  function apiCall(method: 'get' | 'post', url: string, body?: object): supertest.Test {
    const agent = supertest(world.apiUrl);
    const made = method === 'get' ? agent.get(url) : agent.post(url);
    return made.set({ authorization: `Bearer ${world.token()}`, 'idempotency-key': randomUUID() }).send(body);
  }

  function apiCalls(): [string, () => supertest.Test][] {
    const ids: Readonly<Record<string, string>> = {
      decisions: decision,
      reservations: reservation,
      subjects: subject,
      disputes: owned.dispute.theirs,
    };
    const known = routesOf(world.api).flatMap(({ method, path }): [string, () => supertest.Test][] => {
      const id = ids[path.split('/')[1] ?? ''];
      if (method !== 'GET' || WITHOUT.includes(path) || (path.includes(':') && !id) || path === 'v1/decisions') return [];
      const url = `/${path.replace(':id', id ?? '').replace(':consentId', owned.consent.theirs)}`;
      return [[`GET ${path}`, () => apiCall('get', url)]];
    });
    return [
      ...known,
      ['POST subjects', () => apiCall('post', '/v1/subjects', { kind: 'INDIVIDUAL' })],
      ['POST links', () => apiCall('post', `/v1/subjects/${subject}/links`, { participant: 'bank-a' })],
      ['POST decisions', () => apiCall('post', '/v1/decisions', reserveBody(subject))],
      ['POST confirm', () => apiCall('post', `/v1/reservations/${reservation}/confirm`, { amount: { amount: '5.00', currency: 'CNY' } })],
      ['POST grant', () => apiCall('post', `/v1/subjects/${subject}/consents/${owned.consent.theirs}/grant`, {})],
    ];
  }

  function deskCalls(): [string, () => supertest.Test][] {
    const known = routesOf(desk).flatMap(({ method, path }): [string, () => supertest.Test][] => {
      if (method !== 'GET' || WITHOUT.includes(path)) return [];
      const id = path.includes('subjects')
        ? subject
        : path.includes('disputes')
          ? owned.dispute.theirs
          : path.includes('consents')
            ? owned.consent.theirs
            : '1';
      return [
        [
          `GET ${path}`,
          () =>
            supertest(deskUrl)
              .get(`/${path.replace(/:\w+/, id)}`)
              .set({ cookie }),
        ],
      ];
    });
    return [...known, ['POST session', signIn]];
  }

  async function tellAll(calls: readonly [string, () => supertest.Test][]): Promise<[string, Told][]> {
    const told: [string, Told][] = [];
    for (const [call, make] of calls) told.push([call, toldBy(await make())]);
    return told;
  }

  it('every call says 503 and why, and each door works again when it is back', async () => {
    const calls = [...gatewayCalls(), ...apiCalls(), ...deskCalls()];
    const before = await tellAll(calls.filter(([call]) => call.startsWith('GET')));
    expect(before.filter(([, { status }]) => status >= 500)).toEqual([]);
    await postgres.stop();
    try {
      const told = await tellAll(calls);
      told.push(['POST records', toldBy(await record())]);
      expect(amiss(told)).toEqual([]);
      expect(told.filter(([call, { code }]) => call === 'POST session' && code !== 'database.away')).toEqual([]);
    } finally {
      await postgres.start();
    }
    const after = await tellAll(calls.filter(([call]) => call.startsWith('GET')));
    expect(after.map(([call, { status }]) => `${call} ${status}`)).toEqual(before.map(([call, { status }]) => `${call} ${status}`));
    expect((await record()).status).toBe(201);
    expect((await signIn()).status).toBe(200);
    expect((await apiCall('post', '/v1/decisions', reserveBody(subject))).body).toMatchObject({ outcome: 'ALLOW' });
  }, 120_000);

  /** While somebody holds the table: whoever waits for it loses its connection. */
  async function broken(table: string, call: () => Promise<supertest.Response>): Promise<Told> {
    const owner = new pg.Client({ connectionString: world.gateway.fresh.url });
    await owner.connect();
    try {
      await owner.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      const answer = call();
      const ended = async () =>
        (await owner.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = '${table}'::regclass`))
          .rowCount;
      await expect.poll(ended, { timeout: 10_000 }).toBeGreaterThan(0);
      return toldBy(await answer);
    } finally {
      await owner.end();
    }
  }

  it('a connection that breaks under a read is a read to be repeated; under a write nobody knows, also where Prisma wrote', async () => {
    const jwk = { ...world.gateway.signers['bank-b'].publicJwk, kid: 'bank-a-broken' };
    const announce = async () => await world.gateway.call(bank(), '/v1/participants/me/keys', 'post').send({ jwk });
    const standing = async () => await apiCall('get', `/v1/subjects/${subject}/standing`);
    const decide = async () => await apiCall('post', '/v1/subjects', { kind: 'INDIVIDUAL' });
    expect(await broken('standings', standing)).toMatchObject({ status: 503, code: 'database.away' });
    expect(await broken('participant_keys', announce)).toMatchObject({ status: 503, code: 'outcome.unknown' });
    expect(await broken('subjects', decide)).toMatchObject({ status: 503, code: 'outcome.unknown' });
    expect([(await standing()).status, (await announce()).status, (await decide()).status]).toEqual([200, 201, 201]);
  });
});

describe('decision-api over gRPC while PostgreSQL is stopped', () => {
  let world: DecisionWorld;
  beforeAll(async () => void (world = await decisionWorld()));
  afterAll(() => world?.close());

  it('every call is UNAVAILABLE with a code that says why, and works again when it is back', async () => {
    const subject = await world.newSubject();
    const key = newKey();
    const { decisionId, reservation } = (await world.grpc('decide', { ...reserveBody(subject), idempotencyKey: key })) as unknown as {
      decisionId: string;
      reservation: { id: string };
    };
    const calls: [string, object][] = [
      ['decide', { ...reserveBody(subject), idempotencyKey: newKey() }],
      ['confirm', { reservationId: reservation.id, amount: { amount: '1.00', currency: 'CNY' }, idempotencyKey: newKey() }],
      ['findDecision', { idempotencyKey: key, subject }],
      ['getDecision', { decisionId }],
      ['getReservation', { reservationId: reservation.id }],
      ['getHeadroom', { subject, service: 'checkout', currency: 'CNY' }],
      ['getReceipt', { decisionId }],
    ];
    await postgres.stop();
    try {
      for (const [method, message] of calls) {
        const failure = await world.grpc(method, message).catch((error: unknown) => error);
        expect([method, failure]).toEqual([method, expect.objectContaining({ code: 14, retryAfter: '1' })]);
        expect(SAID).toContain((failure as { problem: string }).problem);
      }
    } finally {
      await postgres.start();
    }
    expect(await world.grpc('getReservation', { reservationId: reservation.id })).toMatchObject({ reservationId: reservation.id });
    expect(await world.grpc('decide', { ...reserveBody(subject), idempotencyKey: newKey() })).toMatchObject({ outcome: 'ALLOW' });
  });
});
