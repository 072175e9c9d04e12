import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#kernel';
import { Webhooks } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { saveConformanceRun } from '#standing/adapters/pg-conformance-runs';
import { PgWebhookBook } from '#standing/adapters/pg-webhook-book';
import type { PartnerView } from '../../../apps/console/src/api.js';
import { type ConsoleClient, signedIn } from './console-client.js';
import { type ConsoleWorld, openConsoleWorld } from './console-world.js';

let world: ConsoleWorld;
let operator: ConsoleClient;
let compliance: ConsoleClient;
const id = 'bank-p';

beforeAll(async () => {
  world = await openConsoleWorld();
  await world.database.query(
    `INSERT INTO participants (id, name, state, version, created_at, changed_at) VALUES ($1, 'Bank P', 'ACTIVE', 1, now(), now())`,
    [id],
  );
  operator = await signedIn(world, 'operator');
  compliance = await signedIn(world, 'compliance');
});
afterAll(() => world.close());

const partners = async (client: ConsoleClient) => (await client.get('/api/partners').expect(200)).body.partners as PartnerView[];
const seen = async (client: ConsoleClient) => (await partners(client)).find((partner) => partner.id === id)!;
const act = (client: ConsoleClient, path: string, body: object = {}) => client.send('post', `/api/partners/${id}/${path}`, body);
const codeOf = (answer: { body: unknown }) => (answer.body as { code: string }).code;

describe('a partner’s state', () => {
  it('is changed with a reason by whoever may, and by nobody else', async () => {
    for (const role of ['risk', 'auditor'] as const) {
      expect((await act(await signedIn(world, role), 'suspension', { reason: 'audit' })).status).toBe(403);
    }
    expect((await act(operator, 'suspension', {})).status).toBe(400);
    expect((await act(operator, 'suspension', { reason: '  ' })).status).toBe(400);
    expect((await act(operator, 'suspension', { reason: 'audit' }).expect(200)).body).toEqual({ id, state: 'SUSPENDED' });
    expect(await seen(compliance)).toMatchObject({ state: 'SUSPENDED', stateReason: 'audit' });
    await act(operator, 'activation', { reason: 'audit passed' }).expect(200);
    const facts = await world.database.query<{ body: string }>(
      `SELECT body FROM facts WHERE participant = $1 AND kind = 'participant.suspended'`,
      [id],
    );
    expect(facts.map(({ body }) => JSON.parse(body) as object)).toMatchObject([
      { reason: 'audit', by: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ]);
  });

  it('may be set for a time, and that may be cancelled', async () => {
    const from = new Date(Date.now() + 3_600_000).toISOString();
    expect((await act(operator, 'suspension', { reason: 'audit', from }).expect(200)).body).toEqual({ id, state: 'ACTIVE' });
    expect(await seen(compliance)).toMatchObject({ suspension: { from, reason: 'audit' } });
    await act(compliance, 'suspension/cancel').expect(200);
    expect((await seen(operator)).suspension).toBeNull();
    expect(codeOf(await act(operator, 'suspension/cancel').expect(409))).toBe('participant.suspension_none');
  });

  it('is closed by two persons only', async () => {
    expect(codeOf(await act(operator, 'closing', { reason: 'merged' }).expect(409))).toBe('participant.transition');
    await act(operator, 'suspension', { reason: 'winding up' }).expect(200);
    await act(operator, 'closing', { reason: 'merged' }).expect(200);
    expect((await seen(operator)).closing).toMatchObject({ by: 'otto', byMe: true, reason: 'merged' });
    expect((await seen(compliance)).closing).toMatchObject({ by: 'otto', byMe: false });
    expect(codeOf(await act(operator, 'closing/confirm').expect(403))).toBe('closing.same_person');
    expect((await act(compliance, 'closing/confirm').expect(200)).body).toEqual({ id, state: 'CLOSED' });
    expect(codeOf(await act(operator, 'activation', { reason: 'again' }).expect(409))).toBe('participant.transition');
  });
});

describe('a partner’s webhook', () => {
  const url = `https://bank-w.example/hook?secret=word`;
  beforeAll(async () => {
    const book = new PgWebhookBook(world.database);
    await new Webhooks(book, nodeClerk, systemClock, () => true).register('bank-w', { url, kinds: [] });
    await world.database.query(
      `INSERT INTO participants (id, name, state, version, created_at, changed_at) VALUES ('bank-w', 'Bank W', 'ACTIVE', 1, now(), now())`,
    );
    await saveConformanceRun(world.database, { participant: 'bank-w', probes: 13, failed: ['nonce.replayed'] });
  });
  const webhook = async () => (await partners(operator)).find((partner) => partner.id === 'bank-w')!;
  const actOn = (client: ConsoleClient, verb: string, body: object = {}) =>
    client.send('post', `/api/partners/bank-w/webhook/${verb}`, body);

  it('is shown without its secrets, with the score of its receiver', async () => {
    const { webhook: shown, conformance } = await webhook();
    expect(shown).toMatchObject({ origin: 'https://bank-w.example', state: 'UNCONFIRMED', dead: 0 });
    expect(JSON.stringify(await webhook())).not.toContain('secret');
    expect(conformance).toMatchObject({ probes: 13, failed: ['nonce.replayed'] });
  });

  it('is paused with a reason, resumed, and its dead letters are sent again, by whoever may', async () => {
    const auditor = await signedIn(world, 'auditor');
    for (const verb of ['pause', 'resume', 'resend']) expect((await actOn(auditor, verb, { reason: 'x' })).status).toBe(403);
    expect((await actOn(operator, 'pause', {})).status).toBe(400);
    await actOn(operator, 'pause', { reason: 'the bank asked' }).expect(200);
    expect((await webhook()).webhook).toMatchObject({ state: 'PAUSED', pausedWhy: 'the bank asked' });
    await actOn(operator, 'resume').expect(200);
    expect((await webhook()).webhook).toMatchObject({ state: 'UNCONFIRMED' });
    expect((await actOn(operator, 'resend').expect(200)).body).toEqual({ resent: 0 });
    expect((await act(operator, 'webhook/pause', { reason: 'none there' })).status).toBe(404);
  });
});
