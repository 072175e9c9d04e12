import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import supertest from 'supertest';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type JsonObject, type Signer, signJws } from '#evidence';
import { parseId } from '#kernel';
import { createLogger, freePort, loadSigner, parseConfig } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { createStaffAccount } from '#staff/adapters/create-staff-account';
import { violation } from '#records/testing/records';
import { register as registerRestrictions } from '../../apps/cli/src/commands/restrictions.js';
import { createConsoleApp } from '../../apps/console/src/console-app.js';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { hearEvents } from '../world/hear-events.js';

/** The main story of restrictions, through every door: banks, services and staff each use their own. */

const LADDER = {
  rungs: [
    { id: 'notice', sanctions: [{ step: 'BANK_NOTICE', days: 30 }] },
    { id: 'cut', sanctions: [{ step: 'LIMIT_CUT', limitPercent: 50, limitAmount: '120.00', days: 60 }] },
  ],
  start: { MINOR: 'notice', MAJOR: 'cut', SEVERE: 'cut' },
  escalation: { withinDays: 90 },
  appeal: { openDays: 14, answerBusinessDays: 5 },
} as const;
const EVIDENCE = { digest: 'c'.repeat(64), reference: 'case-1' };
const SCOPES = 'decisions:evaluate decisions:reserve standing:read subjects:write appeals:write';

let gateway: GatewayWorld;
let api: NestFastifyApplication;
let desk: NestFastifyApplication;
let issuer: Signer;
let seq = 0;

beforeAll(async () => {
  gateway = await openGatewayWorld();
  const { config, fresh } = gateway;
  await new PgPolicies(fresh.database).activate(policyInput({ ladder: LADDER as never }), { author: 'ann', approver: 'ben' }, new Date());
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

function token(scope = SCOPES): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { iss: 'tallystick-dev-issuer', sub: 'wallet', aud: 'tallystick-decision-api', iat, exp: iat + 300, scope };
  return signJws('JWT', claims, issuer);
}

async function service(method: 'get' | 'post', url: string, body?: object, key: string = randomUUID()) {
  const door = supertest(await api.getUrl());
  const call = door[method](url).set('authorization', `Bearer ${token()}`).set('idempotency-key', key);
  return await (body ? call.send(body) : call);
}

async function decide(subject: string) {
  const request = { subject, service: 'checkout', amount: { amount: '10.00', currency: 'CNY' }, mode: 'RESERVE' };
  const { body } = await service('post', '/v1/decisions', request);
  return body as { outcome: string; reasons: object[]; limits: { id: string; limit?: string }[]; restrictions: Record<string, unknown>[] };
}

/** Reports a violation as bank-b, signed twice: the record and the request. */
async function report(ref: string, severity: 'MINOR' | 'MAJOR'): Promise<void> {
  const now = new Date();
  const record = {
    iss: 'bank-b',
    sub: ref,
    jti: randomUUID().replace(/^(.{14})4/, '$17'),
    seq: ++seq,
    iat: Math.floor(now.getTime() / 1_000),
    asOf: now.toISOString(),
    validUntil: new Date(now.getTime() + 90 * 86_400_000).toISOString(),
    kind: 'violation',
    violation: { ...violation(severity, now), occurredAt: now.toISOString() },
  };
  const jws = signJws('credit-record+jwt', record as unknown as JsonObject, gateway.signers['bank-b']);
  await gateway.call(gateway.client('bank-b'), '/v1/records', 'post').set('content-type', 'application/jose').send(jws).expect(201);
}

/** What a bank is told of them meanwhile. */
async function hear(name: string) {
  return await hearEvents(gateway, name, ['restriction']);
}

/** A member of staff at the console. */
async function seat(name: string, role: 'risk' | 'operator' | 'auditor') {
  const url = await desk.getUrl();
  const { password } = (await createStaffAccount(gateway.fresh.database, { name, role }))!;
  const own = { origin: new URL(url).origin, 'x-tallystick-console': '1' };
  const signIn = await supertest(url).post('/api/session').set(own).send({ name, password });
  const cookie = (signIn.headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!;
  return {
    get: async (path: string) => await supertest(url).get(path).set({ cookie }),
    post: async (path: string, body: object, key: string = randomUUID()) =>
      await supertest(url)
        .post(path)
        .set({ ...own, cookie, 'idempotency-key': key })
        .send(body),
  };
}

/** Runs an operator's command on this installation; answers what it printed. */
async function tallystick(...args: string[]): Promise<string> {
  for (const [name, value] of Object.entries(gateway.config)) if (value !== undefined) vi.stubEnv(name, String(value));
  const program = new Command('tallystick').exitOverride();
  registerRestrictions(program);
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await program.parseAsync(args, { from: 'user' });
    return printed.mock.calls.map(([line]) => String(line)).join('\n');
  } finally {
    printed.mockRestore();
    vi.unstubAllEnvs();
  }
}

it('violation, cut, appeal, overturned, lifted, told to both banks, acknowledged', async () => {
  const { id: subject } = (await service('post', '/v1/subjects', { kind: 'INDIVIDUAL' })).body as { id: string };
  const refs: Record<string, string> = {};
  for (const participant of ['bank-a', 'bank-b']) {
    refs[participant] = ((await service('post', `/v1/subjects/${subject}/links`, { participant })).body as { ref: string }).ref;
    await hear(participant);
  }
  const before = await decide(subject);
  expect([before.outcome, before.restrictions]).toEqual(['ALLOW', []]);

  // A second violation of the code within the ladder's days climbs from the notice to the cut.
  await report(refs['bank-b']!, 'MINOR');
  expect((await decide(subject)).restrictions).toMatchObject([{ step: 'BANK_NOTICE', code: 'FRAUD_CONFIRMED' }]);
  await report(refs['bank-b']!, 'MINOR');
  const cut = await decide(subject);
  const shown = cut.restrictions.find(({ step }) => step === 'LIMIT_CUT')!;
  expect(shown).toMatchObject({ limitPercent: 50, limitAmount: { amount: '120.00', currency: 'CNY' }, cure: { code: 'CLEARANCE' } });
  for (const name of ['since', 'endsAt', 'appealUntil', 'text']) expect(shown).toHaveProperty(name);
  for (const { limit } of cut.limits) if (limit) expect(Number(limit)).toBeLessThanOrEqual(120);

  const url = `/v1/subjects/${subject}/restrictions`;
  const listed = (await service('get', url)).body as { restrictions: JsonObject[] };
  expect(listed.restrictions.map(({ id }) => id)).toContain(shown['id']);
  expect(cut.reasons).toContainEqual(
    expect.objectContaining({ code: 'restriction.limit_cut', source: `restriction ${String(shown['id'])}` }),
  );
  const key = randomUUID();
  const appeal = await service('post', `${url}/${String(shown['id'])}/appeals`, { grounds: { code: 'NOT_ME' } }, key);
  expect([appeal.status, (appeal.body as JsonObject)['state']]).toEqual([201, 'OPEN']);
  const again = await service('post', `${url}/${String(shown['id'])}/appeals`, { grounds: { code: 'NOT_ME' } }, key);
  expect([again.status, again.headers['idempotency-hit']]).toEqual([200, 'true']);
  const scoped = supertest(await api.getUrl()).post(`${url}/${String(shown['id'])}/appeals`);
  expect((await scoped.set('authorization', `Bearer ${token('standing:read')}`).send({})).body).toMatchObject({ code: 'scope.missing' });

  const [rita, rudi, otto] = [await seat('rita', 'risk'), await seat('rudi', 'risk'), await seat('otto', 'operator')];
  const open = (await rita.get('/api/restrictions')).body as { appeals: { restriction: string }[]; orders: JsonObject[] };
  expect(open).toMatchObject({ appeals: [{ subject, state: 'OPEN' }], orders: [] });
  const orders = `/api/subjects/${subject}/restriction-orders`;
  const wish = {
    kind: 'OVERTURN',
    restriction: open.appeals[0]!.restriction,
    reason: { code: 'PROVEN', text: 'seen' },
    evidence: EVIDENCE,
  };
  const asked = (await rita.post(orders, wish)).body as { id: string; state: string };
  expect(asked.state).toBe('WAITING');
  expect((await rita.post(`${orders}/${asked.id}/decision`, { approve: true })).body).toMatchObject({
    code: 'restriction_order.four_eyes',
  });
  expect((await otto.post(`${orders}/${asked.id}/decision`, { approve: true })).status).toBe(403);
  await Promise.all([hear('bank-a'), hear('bank-b')]);
  expect((await rudi.post(`${orders}/${asked.id}/decision`, { approve: true })).body).toMatchObject({
    state: 'DONE',
    by: 'rita',
    decidedBy: 'rudi',
  });

  const after = await decide(subject);
  expect(after.restrictions.map(({ step }) => step)).toEqual(['BANK_NOTICE']);
  for (const [i, { limit }] of after.limits.entries()) if (limit) expect(Number(limit)).toBeGreaterThan(Number(cut.limits[i]?.limit));
  const history = (await service('get', url)).body as { restrictions: JsonObject[] };
  expect(history.restrictions.find(({ step }) => step === 'LIMIT_CUT')).toMatchObject({
    state: 'OVER',
    over: { why: 'OVERTURNED' },
    appeal: { state: 'OVERTURNED' },
  });

  const retractions = async () => ((await otto.get('/api/retractions')).body as { retractions: { participant: string }[] }).retractions;
  expect((await retractions()).map(({ participant }) => participant).sort()).toEqual(['bank-a', 'bank-b']);
  expect(JSON.stringify(await retractions())).not.toContain(subject);
  const [toA] = await hear('bank-a');
  expect(toA).toMatchObject({ kind: 'restriction.lifted', body: { why: 'OVERTURNED' } });
  expect((await retractions()).map(({ participant }) => participant)).toEqual(['bank-b']);
  expect(await tallystick('restrictions', 'retractions')).toMatch(/^bank-b {2}rst_\w+ {2}since .* \(0 min\) {2}never failed$/);
  const [toB] = await hear('bank-b');
  expect(toB?.body['restriction']).not.toBe(toA?.body['restriction']);
  expect(await retractions()).toEqual([]);
  expect(await tallystick('restrictions', 'retractions')).toMatch(/^No open retractions/);
  expect(JSON.parse((await tallystick('restrictions', 'show', subject)).split('\n')[0]!)).toMatchObject({ state: 'OVER', rung: 'cut' });
});

it('is over at its end for whoever asks, although nobody has lifted it yet', async () => {
  const { id: subject } = (await service('post', '/v1/subjects', { kind: 'INDIVIDUAL' })).body as { id: string };
  const { ref } = (await service('post', `/v1/subjects/${subject}/links`, { participant: 'bank-b' })).body as { ref: string };
  await report(ref, 'MINOR');
  const steps = async () => {
    const { body } = await service('get', `/v1/subjects/${subject}/standing`);
    return (body as { restrictions: { step: string }[] }).restrictions.map(({ step }) => step);
  };
  expect(await steps()).toEqual(['BANK_NOTICE']);
  const { shard, uuid } = parseId('sub', subject);
  // As the schema's owner: no application may change a term.
  const owner = new pg.Client({ connectionString: gateway.fresh.url });
  await owner.connect();
  const { rowCount } = await owner.query(
    `UPDATE restrictions SET starts_at = starts_at - interval '1 hour', ends_at = starts_at WHERE shard = $1 AND subject = $2`,
    [shard, uuid],
  );
  await owner.end();
  expect(rowCount).toBe(1);
  expect(await steps()).toEqual([]);
});
