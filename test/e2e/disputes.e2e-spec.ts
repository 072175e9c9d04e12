import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import supertest from 'supertest';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type JsonObject, type Signer, signJws } from '#evidence';
import { createLogger, freePort, loadSigner, parseConfig } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { performance, rating } from '#records/testing/records';
import { createStaffAccount } from '#staff/adapters/create-staff-account';
import { register as registerDisputes } from '../../apps/cli/src/commands/disputes.js';
import { createConsoleApp } from '../../apps/console/src/console-app.js';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { hearEvents } from '../world/hear-events.js';

/** The main story of a dispute, through every door: a service, its furnisher, another bank and an operator each use their own. */

const SCOPES = [
  ...['decisions:evaluate', 'decisions:reserve', 'standing:read', 'subjects:write', 'disputes:read', 'disputes:write'],
  ...['consents:read', 'consents:write'],
].join(' ');
/** A service that a subject with the disputed record does not reach. */
const PICKY = { name: 'picky', mode: 'enforce' as const, minimumScore: 850, limits: [] };

type Bank = 'bank-a' | 'bank-b';

let gateway: GatewayWorld;
let api: NestFastifyApplication;
let desk: NestFastifyApplication;
let issuer: Signer;
let seq = 0;

beforeAll(async () => {
  gateway = await openGatewayWorld();
  const { config, fresh } = gateway;
  const { services } = policyInput();
  const policy = policyInput({ services: [...services, PICKY] });
  await new PgPolicies(fresh.database).activate(policy, { author: 'ann', approver: 'ben' }, new Date());
  const own = { TALLYSTICK_ENV: 'test', TALLYSTICK_HOME: gateway.home, DATABASE_URL: fresh.url, LOG_LEVEL: 'silent' };
  issuer = loadSigner(config, 'internal-issuer');
  api = await createDecisionApi(parseConfig({ ...own, DECISION_GRPC_PORT: String(await freePort()) }), createLogger('test', 'silent'));
  await api.listen(0, '127.0.0.1');
  desk = await createConsoleApp(parseConfig(own), createLogger('test', 'silent'));
  await desk.listen(0, '127.0.0.1');
});
afterAll(async () => {
  await desk?.close();
  await api?.close();
  await gateway?.close();
});

async function service(method: 'get' | 'post', url: string, body?: object, key: string = randomUUID()) {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { iss: 'tallystick-dev-issuer', sub: 'wallet', aud: 'tallystick-decision-api', iat, exp: iat + 300, scope: SCOPES };
  const door = supertest(await api.getUrl());
  const call = door[method](url)
    .set('authorization', `Bearer ${signJws('JWT', claims, issuer)}`)
    .set('idempotency-key', key);
  return await (body ? call.send(body) : call);
}

async function bank(name: Bank, method: 'get' | 'post', url: string, body?: object, key: string = randomUUID()) {
  const call = gateway.call(gateway.client(name), url, method).set('idempotency-key', key);
  return await (body ? call.send(body) : call);
}

interface Decision {
  readonly decisionId: string;
  readonly outcome: string;
  readonly score: { readonly value: number; readonly disputed?: boolean };
}

async function decide(subject: string, name = 'checkout'): Promise<Decision> {
  const request = { subject, service: name, amount: { amount: '10.00', currency: 'CNY' }, mode: 'RESERVE' };
  return (await service('post', '/v1/decisions', request)).body as Decision;
}

/** Sends a record, signed twice: itself and the request that carries it. Answers its jti. */
async function report(name: Bank, ref: string, body: object): Promise<string> {
  const now = new Date();
  const jti = randomUUID().replace(/^(.{14})4/, '$17');
  const record = {
    iss: name,
    sub: ref,
    jti,
    seq: ++seq,
    iat: Math.floor(now.getTime() / 1_000),
    asOf: now.toISOString(),
    validUntil: new Date(now.getTime() + 90 * 86_400_000).toISOString(),
    ...body,
  };
  const jws = signJws('credit-record+jwt', record as unknown as JsonObject, gateway.signers[name]);
  await gateway.call(gateway.client(name), '/v1/records', 'post').set('content-type', 'application/jose').send(jws).expect(201);
  return jti;
}

/** What a bank is told of them meanwhile. */
async function hear(name: Bank) {
  return await hearEvents(gateway, name, ['dispute', 'record']);
}

/** Bank-b reads the rating under a consent of the subject. */
async function readRating(subject: string, ref: string): Promise<JsonObject> {
  const wish = { sub: ref, purpose: 'ACCOUNT_REVIEW', claims: ['score'], fetch: { type: 'PERIODIC', count: 10, every: 'DAY' } };
  const asked = { ...wish, dataLifeSeconds: 3_600, expiresAt: new Date(Date.now() + 86_400_000).toISOString() };
  const { id } = (await bank('bank-b', 'post', '/v1/consents', asked)).body as { id: string };
  expect((await service('post', `/v1/subjects/${subject}/consents/${id}/grant`, {})).status).toBe(200);
  const read = await bank('bank-b', 'get', `/v1/subjects/${ref}/rating?consent=${id}`);
  expect(read.status).toBe(200);
  const disclosed = read.text
    .split('~')
    .slice(1, -1)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as [string, string, unknown]);
  return Object.fromEntries(disclosed.map(([, name, value]) => [name, value])) as JsonObject;
}

/** Runs an operator's command on this installation; answers what it printed. */
async function tallystick(...args: string[]): Promise<string> {
  for (const [name, value] of Object.entries(gateway.config)) if (value !== undefined) vi.stubEnv(name, String(value));
  const program = new Command('tallystick').exitOverride();
  registerDisputes(program);
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await program.parseAsync(args, { from: 'user' });
    return printed.mock.calls.map(([line]) => String(line)).join('\n');
  } finally {
    printed.mockRestore();
    vi.unstubAllEnvs();
  }
}

/** A member of staff at the console. */
async function seat(name: string, role: 'risk' | 'auditor' | 'operator') {
  const url = await desk.getUrl();
  const { password } = (await createStaffAccount(gateway.fresh.database, { name, role }))!;
  const own = { origin: new URL(url).origin, 'x-tallystick-console': '1' };
  const signIn = await supertest(url).post('/api/session').set(own).send({ name, password });
  const cookie = (signIn.headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!;
  return {
    get: async (path: string) => await supertest(url).get(`/api/disputes${path}`).set({ cookie }),
    post: async (path: string) =>
      await supertest(url)
        .post(`/api/disputes${path}`)
        .set({ ...own, cookie })
        .send({}),
  };
}

async function customer() {
  const { id: subject } = (await service('post', '/v1/subjects', { kind: 'INDIVIDUAL' })).body as { id: string };
  const refs = {} as Record<Bank, string>;
  for (const participant of ['bank-a', 'bank-b'] as const) {
    refs[participant] = ((await service('post', `/v1/subjects/${subject}/links`, { participant })).body as { ref: string }).ref;
    await hear(participant);
  }
  await report('bank-a', refs['bank-a'], { kind: 'rating', rating: rating(930) });
  await report('bank-a', refs['bank-a'], { kind: 'performance', performance: { ...performance('11'), account: 'main' } });
  const clean = await decide(subject);
  const jti = await report('bank-a', refs['bank-a'], {
    kind: 'performance',
    performance: { ...performance('97', '900.00', 'L6543'), account: 'second' },
  });
  return { subject, refs, clean, jti };
}

it('disputed, flagged, heard, corrected, told to who had read it; the decisions in between are listed and decided again', async () => {
  const { subject, refs, clean, jti } = await customer();
  const harmed = await decide(subject, 'picky');
  expect([clean.outcome, harmed.outcome, harmed.score.value < clean.score.value]).toEqual(['ALLOW', 'DENY', true]);
  expect(await readRating(subject, refs['bank-b'])).toMatchObject({ score: harmed.score.value, disputed: false });

  const { records } = (await service('get', `/v1/subjects/${subject}/records`)).body as { records: { issuer: string; jti: string }[] };
  const record = records.find((one) => one.jti === jti)!;
  const wish = { record: { issuer: record.issuer, jti }, code: 'STATUS_WRONG', statementDigest: 'a'.repeat(64) };
  const key = randomUUID();
  const opened = await service('post', `/v1/subjects/${subject}/disputes`, wish, key);
  const dispute = opened.body as { id: string; state: string; dueAt: string };
  expect([opened.status, dispute.state]).toEqual([201, 'OPEN']);
  const again = await service('post', `/v1/subjects/${subject}/disputes`, wish, key);
  expect([again.status, again.headers['idempotency-hit'], (again.body as { id: string }).id]).toEqual([200, 'true', dispute.id]);
  expect((await service('post', `/v1/subjects/${subject}/disputes`, wish)).body).toMatchObject({ code: 'dispute.exists' });

  const flagged = await decide(subject, 'picky');
  expect(flagged).toMatchObject({ outcome: 'ALLOW', score: { value: clean.score.value, disputed: true } });
  for (const url of ['standing', 'headroom'])
    expect((await service('get', `/v1/subjects/${subject}/${url}`)).body).toMatchObject({ score: { disputed: true } });
  expect(await readRating(subject, refs['bank-b'])).toMatchObject({ disputed: true });

  expect(await tallystick('disputes', 'list')).toMatch(
    new RegExp(`^${dispute.id} {2}bank-a {2}STATUS_WRONG {2}OPEN due .* {2}not heard: bank-a$`),
  );
  const [told, ...more] = await hear('bank-a');
  expect([told?.kind, told?.body['dispute'], told?.body['record'], more]).toEqual(['dispute.opened', dispute.id, jti, []]);
  expect(await hear('bank-b')).toEqual([]);
  expect((await bank('bank-b', 'get', `/v1/disputes/${dispute.id}`)).body).toMatchObject({ code: 'dispute.unknown' });
  expect((await bank('bank-b', 'post', `/v1/disputes/${dispute.id}/answer`, { answer: 'WITHDRAWN' })).body).toMatchObject({
    code: 'dispute.unknown',
  });
  expect((await bank('bank-a', 'get', '/v1/disputes')).body).toMatchObject({
    disputes: [{ id: dispute.id, sub: refs['bank-a'], state: 'OPEN' }],
  });
  const listed = (await service('get', `/v1/disputes/${dispute.id}/decisions`)).body as { decisions: { id: string }[] };
  expect(listed.decisions.map(({ id }) => id)).toEqual([harmed.decisionId]);

  const correction = await report('bank-a', refs['bank-a'], {
    kind: 'correction',
    correction: { replaces: jti, performance: { ...performance('11'), account: 'second' } },
  });
  const answer = { answer: 'CORRECTED', record: correction };
  const answered = await bank('bank-a', 'post', `/v1/disputes/${dispute.id}/answer`, answer);
  expect([answered.status, answered.headers['idempotency-hit']]).toEqual([200, 'true']);
  expect(answered.body).toMatchObject({ state: 'CLOSED', outcome: 'CORRECTED', answer });
  const settled = await decide(subject, 'picky');
  expect([settled.outcome, settled.score.disputed]).toEqual(['ALLOW', undefined]);

  const toReader = await hear('bank-b');
  expect(toReader.map(({ kind }) => kind)).toEqual(['record.corrected', 'dispute.closed']);
  expect(JSON.stringify(toReader)).not.toMatch(new RegExp(`${jti}|${correction}|${dispute.id}|bank-a`));
  expect(await tallystick('disputes', 'list')).toMatch(/closed CORRECTED {2}not heard: bank-a$/);
  expect((await hear('bank-a')).map(({ kind }) => kind)).toEqual(['dispute.closed']);
  expect(await tallystick('disputes', 'list')).toMatch(/^No dispute is open/);
  const file = (await service('get', `/v1/disputes/${dispute.id}`)).body as {
    notices: { participant: string; kind: string; heardAt?: string }[];
  };
  expect(file.notices.map(({ participant, kind, heardAt }) => [participant, kind, heardAt !== undefined])).toEqual([
    ['bank-a', 'dispute.opened', true],
    ['bank-b', 'record.corrected', true],
    ['bank-a', 'dispute.closed', true],
    ['bank-b', 'dispute.closed', true],
  ]);

  const before = await service('get', `/v1/decisions/${harmed.decisionId}`);
  const redecided = (await service('post', `/v1/disputes/${dispute.id}/re-evaluations`)).body as { decisions: JsonObject[] };
  expect(redecided.decisions).toMatchObject([
    { id: harmed.decisionId, other: true, was: { outcome: 'DENY', score: harmed.score.value }, would: { outcome: 'ALLOW' } },
  ]);
  expect((await service('get', `/v1/decisions/${harmed.decisionId}`)).body).toEqual(before.body);
  expect(await tallystick('disputes', 're-evaluate', dispute.id)).toMatch(
    /DENY -> ALLOW .*\nDecisions that would have been different: 1 of 1\.$/,
  );
  expect(await tallystick('disputes', 'decisions', dispute.id)).toMatch(/\nDecisions that used the record: 1\.$/);
  const facts = await gateway.fresh.database.query(`SELECT FROM facts WHERE kind = 'dispute.reevaluated'`);
  expect(facts).toHaveLength(2);
});

it('a furnisher answers with the signed request as evidence, flags its own record, and is held to the list of codes', async () => {
  const { subject, jti } = await customer();
  expect((await bank('bank-a', 'post', `/v1/records/${jti}/disputes`, { code: 'NO_SUCH' })).body).toMatchObject({
    code: 'dispute.malformed',
    field: '/code',
  });
  expect((await bank('bank-b', 'post', `/v1/records/${jti}/disputes`, { code: 'INACCURATE' })).body).toMatchObject({
    code: 'record.unknown',
  });
  const flag = await bank('bank-a', 'post', `/v1/records/${jti}/disputes`, { code: 'INACCURATE' });
  expect([flag.status, flag.body]).toMatchObject([201, { openedBy: 'FURNISHER', state: 'OPEN' }]);
  expect((await decide(subject)).score.disputed).toBe(true);
  const { id } = flag.body as { id: string };
  const longer = await service('post', `/v1/disputes/${id}/information`, { statementDigest: 'b'.repeat(64) });
  expect(Date.parse((longer.body as { dueAt: string }).dueAt) - Date.parse((flag.body as { dueAt: string }).dueAt)).toBe(15 * 86_400_000);
  const answer = { answer: 'VERIFIED', evidenceDigest: 'e'.repeat(64) };
  expect((await bank('bank-a', 'post', `/v1/disputes/${id}/answer`, answer)).body).toMatchObject({ state: 'CLOSED', outcome: 'VERIFIED' });
  expect((await bank('bank-a', 'post', `/v1/disputes/${id}/answer`, { answer: 'WITHDRAWN' })).body).toMatchObject({
    code: 'dispute.closed',
  });
  expect((await decide(subject)).score.disputed).toBeUndefined();
  const [kept] = await gateway.fresh.database.query<{ body: Buffer; signature_base: string; keyid: string; certificate: string }>(
    `SELECT a.* FROM dispute_answers a JOIN disputes d ON d.shard = a.shard AND d.id = a.dispute WHERE d.outcome = 'VERIFIED'`,
  );
  expect(JSON.parse(kept!.body.toString())).toEqual(answer);
  expect(kept!.signature_base).toContain(`/v1/disputes/${id}/answer`);
  expect([kept!.keyid, kept!.certificate.length]).toEqual(['bank-a-1', 43]);
});

it('staff see what is open, who has heard and which decisions used the record; who may not, does not', async () => {
  const { subject, jti } = await customer();
  const harmed = await decide(subject, 'picky');
  const wish = { record: { issuer: 'bank-a', jti }, code: 'PAID' };
  const { id } = (await service('post', `/v1/subjects/${subject}/disputes`, wish)).body as { id: string };
  const [rita, ada, otto] = [await seat('rita', 'risk'), await seat('ada', 'auditor'), await seat('otto', 'operator')];
  const open = (await ada.get('')).body as { disputes: { id: string }[] };
  expect(open.disputes.find((one) => one.id === id)).toMatchObject({
    state: 'OPEN',
    notices: [{ participant: 'bank-a', kind: 'dispute.opened' }],
  });
  expect((await ada.get(`/${id}`)).body).toMatchObject({ dispute: { id, subject, code: 'PAID', overdue: false } });
  expect((await ada.get(`/${id}/decisions`)).body).toMatchObject({ decisions: [{ id: harmed.decisionId, outcome: 'DENY' }] });
  expect((await ada.post(`/${id}/re-evaluations`)).status).toBe(403);
  expect((await otto.get('')).status).toBe(403);
  // While it is open it is asked as if the record were withdrawn.
  expect((await rita.post(`/${id}/re-evaluations`)).body).toMatchObject({
    decisions: [{ id: harmed.decisionId, other: true, would: { outcome: 'ALLOW' } }],
  });
  // By its subject it is found, also once it is settled.
  const bySubject = (await ada.get(`?subject=${subject}`)).body as { disputes: { id: string; notices: object[] }[] };
  expect(bySubject.disputes.map((one) => [one.id, one.notices.length])).toEqual([[id, 1]]);
  expect((await ada.get(`?subject=${id}`)).status).toBe(400);
  const views = await gateway.fresh.database.query<{ body: string }>(
    `SELECT body FROM facts WHERE kind = 'staff.viewed' AND body LIKE '%disputes.%'`,
  );
  expect(views.length).toBe(4);
});
