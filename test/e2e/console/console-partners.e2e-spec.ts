import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
