import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { register } from '../../apps/cli/src/commands/interface.js';
import type { Example, Examples } from '../../apps/decision-api/src/interface-files.js';
import { createSealer } from '#audit/adapters/audit-wiring';
import { backtestRunner } from '#decisions/adapters/backtests';
import { formatId, parseId, systemClock } from '#kernel';
import { createLogger, createSigner } from '#platform';
import { policyLife } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { performance, recordHead, verified } from '#records/testing/records';
import { AcceptRecord, Subjects } from '#standing';
import { createNotary, nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { ConsentWorld } from '#standing/testing/consent-world';
import { receiptSigner } from '#standing/testing/exchange-world';
import { type DecisionWorld, decisionWorld, newKey } from '../world/decision-world.js';

// The examples of the interface are what a door really answered. After a change that is meant:
// RECORD_EXAMPLES=1 npx vitest run --project real test/e2e/decision-examples.e2e-spec.ts
const FILE = 'apps/decision-api/examples.json';
const OPEN = /^\/(health|ready|metrics|\.well-known)/;
const amount = { amount: '199.00', currency: 'CNY' };

let world: DecisionWorld;
const recorded = { http: {} as Record<string, Example>, grpc: {} as Record<string, Example> };
const known = JSON.parse(readFileSync(FILE, 'utf8')) as Examples;

/** Calls the door, keeps the exchange under the operation's name, and hands back the answer. */
async function http(name: string, params: Readonly<Record<string, string>> = {}, body?: object | string, key?: string) {
  const [method, template] = name.split(' ') as [string, string];
  const query = new URLSearchParams(Object.entries(params).filter(([param]) => !template.includes(`{${param}}`)));
  const path = template.replace(/\{(\w+)\}/g, (_, param: string) => params[param]!) + (query.size > 0 ? `?${query.toString()}` : '');
  const token = world.token(
    'decisions:evaluate decisions:reserve decisions:simulate standing:read subjects:write allowances:issue appeals:write policies:read policies:write consents:read consents:write disputes:read disputes:write',
  );
  const sent = typeof body === 'string' ? { text: body } : { body };
  const answer = await world.http(method, path, { ...sent, key, token });
  const problem = answer.status < 300 ? undefined : answer.body['code'];
  expect([name, answer.status, problem]).toEqual([name, expect.toSatisfy((status: number) => status < 300), undefined]);
  const response = typeof answer.body['text'] === 'string' ? answer.body['text'] : answer.body;
  const headers = key === undefined ? {} : { headers: { 'Idempotency-Key': key } };
  recorded.http[name] = {
    request: { ...(Object.keys(params).length > 0 ? { params } : {}), ...headers, ...(body ? { body } : {}) },
    response,
  };
  return answer.body as unknown as {
    id: string;
    ref: string;
    decisionId: string;
    reservation: { id: string };
    allowance: { allowanceId: string };
  };
}

async function grpc(method: string, message: object) {
  const response = await world.grpc(method, message);
  recorded.grpc[method] ??= { request: message, response };
  return response as unknown as { decisionId: string; reservation: { id: string }; allowance: { allowanceId: string } };
}

beforeAll(async () => {
  world = await decisionWorld();
  for (const name of ['log', 'export'] as const) createSigner(world.config, name);
  const sealer = await createSealer(world.fresh.database, world.config, createLogger('test', 'silent'));
  const { id: subject } = await http('POST /v1/subjects', {}, { kind: 'INDIVIDUAL' }, newKey());
  const { shard, uuid } = parseId('sub', subject);
  await world.fresh.database.query('UPDATE standings SET score = 720 WHERE shard = $1 AND subject = $2', [shard, uuid]);
  const restriction = randomUUID();
  await world.fresh.database.query(
    `INSERT INTO restrictions (shard, subject, id, step, services, reason_code, reason_text, evidence_digest, evidence_reference, ladder, told, starts_at, appeal_until)
     VALUES ($1, $2, $3, 'WARN', '{}', 'LATE', 'paid late', $4, 'case-7', 'built-in', '{}', now() - interval '1 hour', now() + interval '9 days')`,
    [shard, uuid, restriction, 'c'.repeat(64)],
  );
  await decisions(subject, () => sealer.sealOnce());
  await rest(subject);
  await consents(subject);
  await disputes(subject);
  await policies();
  await overGrpc(subject);
  if (process.env['RECORD_EXAMPLES'] === '1') writeFileSync(FILE, `${JSON.stringify(recorded, undefined, 2)}\n`);
});
afterAll(() => world?.close());

async function decisions(subject: string, seal: () => Promise<unknown>): Promise<void> {
  const ask = { subject, service: 'checkout', amount, mode: 'RESERVE', counterparty: 'shop-17', paymentReference: `ORDER-${Date.now()}` };
  const key = newKey();
  const { decisionId: id, reservation } = await http('POST /v1/decisions', {}, ask, key);
  const items = [
    { subject, service: 'checkout', amount, mode: 'EVALUATE' },
    { subject, service: 'teleport', amount, mode: 'EVALUATE' },
  ];
  await http('POST /v1/decisions:batch', {}, { items });
  const group = newKey();
  const parts = [
    { service: 'checkout', amount },
    { service: 'pay-later', amount, holdSeconds: 3_600 },
  ];
  await http('POST /v1/decisions:linked', {}, { subject, items: parts }, group);
  await http('GET /v1/decisions:linked', { subject, key: group });
  await http(
    'POST /v1/decisions/simulations',
    {},
    { subject, service: 'checkout', amount, suppose: { score: 580, usage: [{ limit: 'all-day', used: '9900.00' }] } },
  );
  await http('GET /v1/decisions', { subject, key });
  await http('GET /v1/decisions/{id}', { id });
  await seal();
  await http('GET /v1/decisions/{id}/receipt', { id });
  await http('GET /v1/decisions/{id}/proof', { id });
  await http('POST /v1/reservations/{id}/confirm', { id: reservation.id }, { amount: { amount: '150.00', currency: 'CNY' } });
  await http('GET /v1/reservations/{id}', { id: reservation.id });
  await http('POST /v1/reservations/{id}/refund', { id: reservation.id }, { amount: { amount: '50.00', currency: 'CNY' } }, newKey());
  const other = await http('POST /v1/decisions', {}, { ...ask, paymentReference: `ORDER-${Date.now()}-B` }, newKey());
  await http('POST /v1/reservations/{id}/release', { id: other.reservation.id }, {});
}

async function rest(subject: string): Promise<void> {
  await http('GET /v1/policies/active');
  await http('GET /v1/policies/schema');
  await http('GET /v1/subjects/{id}/standing', { id: subject });
  await http('GET /v1/subjects/{id}/headroom', { id: subject });
  const listed = (await http('GET /v1/subjects/{id}/restrictions', { id: subject })) as unknown as { restrictions: { id: string }[] };
  const appeal = { id: subject, restrictionId: listed.restrictions[0]!.id };
  await http('POST /v1/subjects/{id}/restrictions/{restrictionId}/appeals', appeal, { grounds: { code: 'NOT_ME' } }, newKey());
  const wish = { subject, service: 'pay-later', amount, spends: 3, seconds: 300 };
  const { allowance } = await http('POST /v1/allowances', {}, wish, newKey());
  const id = allowance.allowanceId;
  await http('GET /v1/allowances/{id}', { id });
  const spent = { paymentReference: `PART-${Date.now()}`, amount: { amount: '20.00', currency: 'CNY' }, at: new Date().toISOString() };
  await http('POST /v1/allowances/{id}/settlements', { id }, { spends: [spent], close: true });
  const answers = [{ key: newKey(), at: new Date().toISOString(), request: { subject, service: 'checkout', amount } }];
  await http('POST /v1/open-answers', {}, { answers });
}

async function consents(id: string): Promise<void> {
  const bank = new ConsentWorld(world.fresh.database);
  const link = await bank.link(parseId('sub', id), 'bank-a');
  const asked = async () => (await bank.request('bank-a', link, { fetch: { type: 'PERIODIC', count: 4, every: 'DAY' } })).consent.id;
  const consent = await asked();
  const place = { id, consentId: formatId('cns', consent) };
  const route = '/v1/subjects/{id}/consents/{consentId}';
  await http(`POST ${route}/grant`, place, { claims: ['score', 'band'] });
  await bank.read({ participant: 'bank-a', consent, ref: link });
  await http(`POST ${route}/narrow`, place, { claims: ['score'], dataLifeSeconds: 3_600 });
  await http(`POST ${route}/pause`, place);
  await http(`POST ${route}/resume`, place);
  await http('GET /v1/subjects/{id}/consents', { id });
  await http(`GET ${route}`, place);
  await http(`GET ${route}/uses`, place);
  await http('GET /v1/subjects/{id}/uses', { id });
  await http(`POST ${route}/revoke`, place);
  await http(`POST ${route}/reject`, { id, consentId: formatId('cns', await asked()) });
}

/** A late account that bank-b reports, and the decisions made on it until the subject says that it was paid. */
async function disputes(id: string): Promise<void> {
  const { database } = world.fresh;
  const exchange = new PgExchange(database);
  const { link } = await new Subjects(exchange, nodeClerk, systemClock).link(parseId('sub', id), { participant: 'bank-b' });
  const record = {
    ...recordHead('bank-b', link.ref, 1, new Date()),
    kind: 'performance',
    performance: performance('78', '120.00', '21'),
  } as const;
  const accept = new AcceptRecord(
    exchange,
    createNotary('https://gateway.test', () => receiptSigner),
    systemClock,
  );
  await accept.run('bank-b', await verified(record));
  await http('GET /v1/subjects/{id}/records', { id });
  await world.http('POST', '/v1/decisions', { body: { subject: id, service: 'checkout', amount, mode: 'RESERVE' }, key: newKey() });
  const wish = { record: { issuer: 'bank-b', jti: record.jti }, code: 'PAID', statementDigest: 'd'.repeat(64) };
  const { id: dispute } = await http('POST /v1/subjects/{id}/disputes', { id }, wish, newKey());
  await http('POST /v1/disputes/{id}/information', { id: dispute }, { statementDigest: 'e'.repeat(64) });
  const correction = {
    ...recordHead('bank-b', link.ref, 2, new Date()),
    kind: 'correction',
    correction: { replaces: record.jti, performance: performance('11') },
  } as const;
  await accept.run('bank-b', await verified(correction));
  await http('GET /v1/disputes/{id}', { id: dispute });
  await http('GET /v1/subjects/{id}/disputes', { id });
  await http('GET /v1/disputes/{id}/decisions', { id: dispute });
  await http('POST /v1/disputes/{id}/re-evaluations', { id: dispute });
}

async function policies(): Promise<void> {
  const { database } = world.fresh;
  const text = JSON.stringify(
    policyInput({ version: 2, limits: [{ id: 'day', window: 'DAY', scope: 'SUBJECT', amount: '90.00' }] }),
    undefined,
    2,
  );
  await http('POST /v1/policies/lint', {}, text.replace('"amount": "90.00"', '"amount": 90.00'));
  await policyLife(database).draft(JSON.parse(text), 'ann', new Date());
  await http('POST /v1/policies/versions/{version}/shadow', { version: '2' });
  await http('GET /v1/policies/versions/{version}/shadow', { version: '2' });
  await http('GET /v1/policies/versions');
  const { id } = await http('POST /v1/backtests', {}, { version: '2', assume: 'CONFIRMED' }, newKey());
  await backtestRunner(database).run(parseId('bkt', id).uuid);
  await http('GET /v1/backtests/{id}', { id });
  await http('GET /v1/backtests/{id}/report', { id });
  const other = await world.http('POST', '/v1/backtests', { body: {}, key: newKey(), token: world.token('policies:write') });
  await http('POST /v1/backtests/{id}/cancel', { id: other.body['id'] as string });
  await http('GET /v1/backtests');
}

async function overGrpc(subject: string): Promise<void> {
  const ask = { subject, service: 'checkout', amount, mode: 'RESERVE' };
  const reserve = async () => {
    const idempotencyKey = newKey();
    const { decisionId, reservation } = await grpc('Decide', { ...ask, idempotencyKey });
    return { idempotencyKey, decisionId, reservationId: reservation.id };
  };
  const { decisionId, reservationId, idempotencyKey } = await reserve();
  await grpc('DecideBatch', {
    items: [
      { ...ask, mode: 'EVALUATE', tag: 1 },
      { ...ask, service: 'teleport', mode: 'EVALUATE', tag: 2 },
    ],
  });
  const group = newKey();
  await grpc('DecideLinked', {
    subject,
    items: [
      { service: 'checkout', amount },
      { service: 'checkout', amount },
    ],
    idempotencyKey: group,
  });
  await grpc('FindLinked', { subject, idempotencyKey: group });
  await grpc('Simulate', { subject, service: 'checkout', amount, suppose: { tier: 'GOOD' } });
  await grpc('FindDecision', { subject, idempotencyKey });
  await grpc('GetDecision', { decisionId });
  await grpc('GetReceipt', { decisionId });
  await grpc('Confirm', { reservationId });
  await grpc('GetReservation', { reservationId });
  await grpc('Refund', { reservationId, idempotencyKey: newKey() });
  await grpc('Release', { reservationId: (await reserve()).reservationId });
  await grpc('GetHeadroom', { subject });
  await allowanceOverGrpc(subject);
}

async function allowanceOverGrpc(subject: string): Promise<void> {
  const wish = { subject, service: 'pay-later', amount, spends: 2, seconds: 300, idempotencyKey: newKey() };
  const { allowanceId } = (await grpc('IssueAllowance', wish)).allowance;
  await grpc('GetAllowance', { allowanceId });
  const spent = { paymentReference: `PART-${Date.now()}-G`, amount: { amount: '20.00', currency: 'CNY' }, at: new Date().toISOString() };
  await grpc('SettleAllowance', { allowanceId, spends: [spent], close: true });
}

const ID = /^([a-z]{3})_[0-9a-z]{27,28}$/;

/** What kind of thing stands at each place, also of which kind an id is; of a list, its first item. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value === 'string') return ID.exec(value)?.[1] ?? 'string';
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([name, inner]) => [name, shapeOf(inner)]),
  );
}

/** These need a bank that is enrolled; `test/e2e/subjects.e2e-spec.ts` exercises them. */
const NEED_A_BANK = ['POST /v1/subjects/{id}/links', 'POST /v1/subjects/{id}/links/{ref}/end'];

describe('the examples of the interface', () => {
  it('show every operation and every unary method', async () => {
    const { paths } = (await world.http('GET', '/docs-json')).body as unknown as { paths: Record<string, object> };
    const routes = Object.entries(paths).filter(([path]) => !OPEN.test(path));
    const operations = routes.flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`));
    expect([...Object.keys(known.http), ...NEED_A_BANK].sort()).toEqual(operations.sort());
    const methods = Object.entries(world.methods).filter(([, { requestStream }]) => !requestStream);
    expect(Object.keys(known.grpc).sort()).toEqual(methods.map(([name]) => name).sort());
  });

  it.each(Object.keys(known.http))('%s', (name) => {
    expect(shapeOf(recorded.http[name])).toEqual(shapeOf(known.http[name]));
  });

  it.each(Object.keys(known.grpc))('%s', (name) => {
    expect(shapeOf(recorded.grpc[name])).toEqual(shapeOf(known.grpc[name]));
  });

  it('are published with the contract itself', async () => {
    const text = async (url: string) => (await fetch(new URL(url, await world.app.getUrl()))).text();
    expect(await text('/docs/examples.json')).toBe(readFileSync(FILE, 'utf8'));
    expect(await text('/docs/decision.proto')).toBe(readFileSync('apps/decision-api/proto/decision.proto', 'utf8'));
    const document = JSON.parse(await text('/docs-json')) as {
      paths: Record<string, Record<string, { requestBody: { content: Record<string, { example: unknown }> } }>>;
    };
    const { example } = document.paths['/v1/decisions']!['post']!.requestBody.content['application/json']!;
    expect(example).toEqual((known.http['POST /v1/decisions']!.request as { body: object }).body);
  });

  it('become files by one command', async () => {
    const folder = path.join(world.config.TALLYSTICK_HOME, 'interface');
    const program = new Command('tallystick').exitOverride();
    register(program);
    const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await program.parseAsync(['interface', '--out', folder, '--from', await world.app.getUrl()], { from: 'user' });
    printed.mockRestore();
    expect(readFileSync(path.join(folder, 'examples.json'), 'utf8')).toBe(readFileSync(FILE, 'utf8'));
    expect(JSON.parse(readFileSync(path.join(folder, 'openapi.json'), 'utf8'))).toMatchObject({
      openapi: expect.stringMatching(/^3/) as string,
    });
    expect(readFileSync(path.join(folder, 'decision.proto'), 'utf8')).toContain('service DecisionService');
  });
});
