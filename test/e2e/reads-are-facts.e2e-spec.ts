import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Command } from 'commander';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { formatId, parseId, shardOf } from '#kernel';
import { createLogger } from '#platform';
import { createStaffAccount } from '#staff/adapters/create-staff-account';
import { register as registerConsents } from '../../apps/cli/src/commands/consents.js';
import { register as registerDisputes } from '../../apps/cli/src/commands/disputes.js';
import { register as registerRestrictions } from '../../apps/cli/src/commands/restrictions.js';
import { createConsoleApp } from '../../apps/console/src/console-app.js';
import { openPeopleWorld, type PeopleWorld, RECORDS, violated } from '../world/people-world.js';
import { getRoutesOf } from '../world/routes-of.js';

/** Whoever reads of a person, at whatever door, leaves one fact, saved before the answer leaves (CONTRACT.md §9). A new route has to take its side here. */

interface Named {
  readonly subject: string;
  readonly ref: string;
  readonly consent: string;
  readonly dispute: string;
  readonly statement: string;
}

/** What a route tells: of one person (one fact, among that person's), of several (one fact), or of nobody, and why. */
type Row = readonly [route: string, tells: 'one' | 'several' | 'nobody', urlOrWhy: string];

const DECISION_API: readonly Row[] = [
  ['v1/subjects/:id/standing', 'one', '/v1/subjects/$subject/standing'],
  ['v1/subjects/:id/headroom', 'one', '/v1/subjects/$subject/headroom'],
  ['v1/subjects/:id/restrictions', 'one', '/v1/subjects/$subject/restrictions'],
  ['v1/subjects/:id/records', 'one', '/v1/subjects/$subject/records'],
  ['v1/subjects/:id/disputes', 'one', '/v1/subjects/$subject/disputes'],
  ['v1/subjects/:id/consents', 'one', '/v1/subjects/$subject/consents'],
  ['v1/subjects/:id/consents/:consentId', 'one', '/v1/subjects/$subject/consents/$consent'],
  ['v1/subjects/:id/consents/:consentId/uses', 'one', '/v1/subjects/$subject/consents/$consent/uses'],
  ['v1/subjects/:id/uses', 'one', '/v1/subjects/$subject/uses'],
  ['v1/disputes/:id', 'one', '/v1/disputes/$dispute'],
  ['v1/disputes/:id/decisions', 'one', '/v1/disputes/$dispute/decisions'],
  ...[
    'v1/decisions',
    'v1/decisions/:id',
    'v1/decisions/:id/proof',
    'v1/decisions/:id/receipt',
    'v1/reservations/:id',
    'v1/allowances/:id',
  ].map((route) => [route, 'nobody', 'what the caller itself was answered; the decision is the fact'] as const),
  ...['v1/policies/active', 'v1/policies/schema', 'v1/policies/versions', 'v1/policies/versions/:version/shadow'].map(
    (route) => [route, 'nobody', 'rules and counts'] as const,
  ),
  ...['v1/backtests', 'v1/backtests/:id', 'v1/backtests/:id/report'].map((route) => [route, 'nobody', 'counts; decisions by id'] as const),
  ...['health', 'ready', 'metrics', '.well-known/jwks.json'].map((route) => [route, 'nobody', 'of the process'] as const),
];

const GATEWAY: readonly Row[] = [
  ['v1/subjects/:ref/rating', 'one', '/v1/subjects/$ref/rating?consent=$consent'],
  ...[
    ...['v1/records/:jti', 'v1/records/:jti/receipt', 'v1/records/:jti/evidence', 'v1/record-batches/:id'],
    ...['v1/record-batches/:id/results', 'v1/record-batches/:id/errors', 'v1/record-sets/:set', 'v1/record-sets/:set/statements'],
    ...['v1/reconciliations/:id', 'v1/participants/me/keys/:kid/suspect-records'],
  ].map((route) => [route, 'nobody', 'what the bank said itself'] as const),
  ...['v1/disputes', 'v1/disputes/:id'].map(
    (route) => [route, 'nobody', 'of its own record; dispute.opened is the fact that told it'] as const,
  ),
  ...['v1/consents', 'v1/consents/:id', 'v1/consents/:id/uses', 'v1/consents/:id/versions'].map(
    (route) => [route, 'nobody', 'between subject and bank; each version and each use is a fact'] as const,
  ),
  ['v1/status-lists/:shard/:list', 'nobody', 'bits that name nobody'],
  ...[
    'v1/webhooks',
    'v1/webhooks/dead-letters',
    'v1/participants/me',
    'v1/participants/me/keys/:kid',
    'v1/participants/me/certificates/:id',
  ].map((route) => [route, 'nobody', 'of the bank itself'] as const),
  ['v1/participants/me/gateway-keys/:kid/check', 'nobody', 'our key'],
  ...['v1/schemas', 'v1/schemas/:kind', '.well-known/jwks.json', '.well-known/jwt-vc-issuer', 'health', 'ready', 'metrics'].map(
    (route) => [route, 'nobody', 'everybody’s'] as const,
  ),
];

const CONSOLE: readonly Row[] = [
  ['api/decisions', 'several', '/api/decisions'],
  ['api/trace', 'one', '/api/trace?id=$subject'],
  ['api/restrictions', 'several', '/api/restrictions'],
  ['api/subjects/:id/restrictions', 'one', '/api/subjects/$subject/restrictions'],
  ['api/disputes', 'several', '/api/disputes'],
  ['api/disputes', 'one', '/api/disputes?subject=$subject'],
  ['api/disputes/:id', 'one', '/api/disputes/$dispute'],
  ['api/disputes/:id/decisions', 'one', '/api/disputes/$dispute/decisions'],
  ['api/subjects/:id/consents', 'one', '/api/subjects/$subject/consents'],
  ['api/subjects/:id/uses', 'one', '/api/subjects/$subject/uses'],
  ['api/consents/:id', 'one', '/api/consents/$consent'],
  ['api/consents/:id/uses', 'one', '/api/consents/$consent/uses'],
  ['api/facts', 'one', '/api/facts?subject=$subject'],
  ['api/reconciliations/:id/breaks', 'several', '/api/reconciliations/$statement/breaks'],
  ...['api/reconciliations', 'api/reconciliations/:id'].map((route) => [route, 'nobody', 'files, banks and counts'] as const),
  ['api/exports/:id/bundle', 'nobody', 'a bundle of facts, which carry no personal data; its download is a fact all the same'],
  ...[
    'api/retractions',
    'api/overview',
    'api/session',
    'api/checkpoint',
    'api/log-keys',
    'api/exports',
    'api/partners',
    'health',
    'ready',
    'metrics',
  ].map((route) => [route, 'nobody', 'names no subject'] as const),
  ...['api/policies', 'api/policies/:version/shadow', 'api/backtests', 'api/backtests/:id'].map(
    (route) => [route, 'nobody', 'rules and counts'] as const,
  ),
];

const COMMANDS: readonly Row[] = [
  ['consents list', 'one', 'consents list $subject'],
  ['consents show', 'one', 'consents show $consent'],
  ['consents uses', 'one', 'consents uses $subject'],
  ['disputes list', 'several', 'disputes list'],
  ['disputes list', 'one', 'disputes list --subject $subject'],
  ['disputes show', 'one', 'disputes show $dispute'],
  ['disputes decisions', 'one', 'disputes decisions $dispute'],
  ['disputes re-evaluate', 'one', 'disputes re-evaluate $dispute'],
  ['restrictions retractions', 'several', 'restrictions retractions'],
  ['restrictions appeals', 'several', 'restrictions appeals'],
  ['restrictions orders', 'several', 'restrictions orders'],
  ['restrictions show', 'one', 'restrictions show $subject'],
];
/** Commands that tell of no subject: they work on partners, keys, policies and files, or tell a story of their own making. */
const OTHER_COMMANDS = [
  ...['conformance', 'demo', 'dev', 'down', 'enrol', 'export', 'gateway-keys', 'interface', 'invite', 'issue', 'keys', 'migrate', 'policy'],
  ...['replay', 'reset', 'revoke', 'settings', 'staff', 'status', 'token', 'up', 'verify', 'webhooks'],
];
const VIEWS = ['subject.viewed', 'staff.viewed', 'rating.disclosed', 'dispute.reevaluated'];

describe('whoever reads of a person leaves one fact', () => {
  let world: PeopleWorld;
  let desk: NestFastifyApplication;
  let deskUrl: string;
  let cookie: string;
  let names: Named;

  beforeAll(async () => {
    world = await openPeopleWorld();
    desk = await createConsoleApp(world.gateway.config, createLogger('console', 'silent'));
    await desk.listen(0, '127.0.0.1');
    deskUrl = await desk.getUrl();
    cookie = await signIn();
    names = await somebody();
  });
  afterAll(async () => {
    await desk?.close();
    await world?.close();
  });

  async function signIn(): Promise<string> {
    const { password } = (await createStaffAccount(world.gateway.fresh.database, { name: 'cora', role: 'compliance' }))!;
    const page = { origin: new URL(deskUrl).origin, 'x-tallystick-console': '1' };
    const { headers } = await supertest(deskUrl).post('/api/session').set(page).send({ name: 'cora', password }).expect(200);
    return (headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!;
  }

  async function somebody(): Promise<Named> {
    const { id: subject, refs } = await world.person();
    const [a, b] = [world.banks['bank-a'], world.banks['bank-b']];
    await world.report(a, refs['bank-a'], violated('MINOR'));
    const jti = await world.report(a, refs['bank-a'], RECORDS.paid);
    const { id: dispute } = await a.client.disputes.flag(jti, { code: 'INACCURATE' });
    const { id: consent } = await b.client.consents.request({
      sub: refs['bank-b'],
      purpose: 'ACCOUNT_REVIEW',
      claims: ['band'],
      fetch: { type: 'PERIODIC', count: 9, every: 'DAY' },
      dataLifeSeconds: 3_600,
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    });
    await world.people.consents.grant(subject, consent);
    await world.decisions.reserve({ subject, service: 'checkout', amount: { amount: '5.00', currency: 'CNY' } }, randomUUID());
    return { subject, ref: refs['bank-b'], consent, dispute, statement: await statement() };
  }

  async function statement(): Promise<string> {
    const id = { shard: shardOf('bank-a'), uuid: randomUUID() };
    await world.gateway.fresh.database.query(
      `INSERT INTO reconciliations (shard, id, participant, digest, size_bytes, received_at, state, statements, entries, lines_total)
       VALUES ($1, $2, 'bank-a', sha256('x'), 1, now(), 'RECEIVED', '[]', 0, 0)`,
      [id.shard, id.uuid],
    );
    return formatId('rec', id);
  }

  const filled = (text: string) => text.replace(/\$(\w+)/g, (_, name: keyof Named) => names[name]);
  const viewsSince = async (known: ReadonlySet<string>) => {
    const rows = await world.gateway.fresh.database.query<{ place: string; subject: string | null }>(
      `SELECT shard || '-' || seq AS place, subject FROM facts WHERE kind = ANY ($1)`,
      [VIEWS],
    );
    return rows.filter(({ place }) => !known.has(place));
  };

  /** Reads once; answers how many facts it left, and how many among the person's. */
  async function factsOf(read: () => Promise<unknown>): Promise<{ all: number; ofPerson: number }> {
    const before = new Set((await viewsSince(new Set())).map(({ place }) => place));
    await read();
    const views = await viewsSince(before);
    return { all: views.length, ofPerson: views.filter(({ subject }) => subject === parseId('sub', names.subject).uuid).length };
  }

  async function expectOneEach(rows: readonly Row[], read: (address: string) => Promise<unknown>): Promise<void> {
    for (const [route, tells, address] of rows) {
      if (tells === 'nobody') continue;
      const expected = { all: 1, ofPerson: tells === 'one' ? 1 : 0 };
      expect([route, await factsOf(() => read(filled(address)))]).toEqual([route, expected]);
    }
  }

  const routesOf = (rows: readonly Row[]) => [...new Set(rows.map(([route]) => route))].sort();

  it('at decision-api, over HTTP', async () => {
    expect(getRoutesOf(world.api)).toEqual(routesOf(DECISION_API));
    const ask = (url: string) => supertest(world.apiUrl).get(url).set('authorization', `Bearer ${world.token()}`);
    await expectOneEach(DECISION_API, (url) => ask(url).expect(200));
    // A refusal tells nothing.
    const nobody = names.subject.slice(0, -4) + '0000';
    expect(await factsOf(() => ask(`/v1/subjects/${nobody}/standing`).expect(404))).toEqual({ all: 0, ofPerson: 0 });
  });

  it('at the gateway', async () => {
    expect(getRoutesOf(world.gateway.app)).toEqual(routesOf(GATEWAY));
    const key = randomUUID();
    const bank = world.gateway.client('bank-b');
    const ask = (url: string) => world.gateway.call(bank, url).set('idempotency-key', key).expect(200);
    await expectOneEach(GATEWAY, ask);
    // The same read again is the same fact.
    expect(await factsOf(() => ask(filled('/v1/subjects/$ref/rating?consent=$consent')))).toEqual({ all: 0, ofPerson: 0 });
  });

  it('at the console', async () => {
    expect(getRoutesOf(desk)).toEqual(routesOf(CONSOLE));
    await expectOneEach(CONSOLE, (url) => supertest(deskUrl).get(url).set({ cookie }).expect(200));
  });

  it('on the command line', async () => {
    const files = readdirSync('apps/cli/src/commands').flatMap((file) => (file.endsWith('.spec.ts') ? [] : [file.replace('.ts', '')]));
    expect(files.sort()).toEqual([...OTHER_COMMANDS, 'consents', 'disputes', 'restrictions'].sort());
    const program = () => {
      const root = new Command('tallystick').exitOverride();
      for (const register of [registerConsents, registerDisputes, registerRestrictions]) register(root);
      return root;
    };
    const known = program().commands.flatMap((group) => group.commands.map((one) => `${group.name()} ${one.name()}`));
    expect(known.sort()).toEqual(routesOf(COMMANDS));
    for (const [name, value] of Object.entries(world.gateway.config)) if (value !== undefined) vi.stubEnv(name, String(value));
    const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      await expectOneEach(COMMANDS, (line) => program().parseAsync(line.split(' '), { from: 'user' }));
    } finally {
      printed.mockRestore();
      vi.unstubAllEnvs();
    }
  });
});
