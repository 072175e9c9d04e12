import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FOREIGN_CALLS, type ForeignCall, type OwnedIds, ownOneOfEach, SAID_ELSEWHERE } from '../world/foreign-ids.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

let world: GatewayWorld;
let owned: OwnedIds;

beforeAll(async () => {
  world = await openGatewayWorld();
  owned = await ownOneOfEach(world);
}, 60_000);
afterAll(() => world?.close());

/** Different for each answer, and saying nothing: when it was given, and its signature. */
const VARYING = ['date', 'x-request-id', 'content-digest', 'signature', 'signature-input'];

/** All that a caller can see of an answer, but for its own id, which it knows. */
function seen({ status, headers, text }: Response, id: string) {
  const shown = Object.entries(headers as Record<string, string>).map(([name, value]) => [name, VARYING.includes(name) ? 'any' : value]);
  const body = text.replaceAll(id, '<id>').replace(/"instance":"[^"]*"/, '"instance":"<any>"');
  return { status, headers: Object.fromEntries(shown), body };
}

function send(bank: string, method: string, url: string, body?: string, type = 'application/json'): Promise<Response> {
  const made = world.call(world.client(bank), url, method === 'GET' ? 'get' : 'post').buffer(true);
  if (method === 'GET') return Promise.resolve(made);
  return Promise.resolve(made.set({ 'content-type': type, 'idempotency-key': randomUUID() }).send(body ?? '{}'));
}

interface Operations {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** From the document that partners read: what is not in it, they do not know. */
async function routesWithIds(): Promise<string[]> {
  const { body } = await world.call(world.client('bank-a'), '/docs-json').expect(200);
  return Object.entries((body as Operations).paths).flatMap(([path, methods]) =>
    path.includes('{') ? Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`) : [],
  );
}

describe('ids of another participant', () => {
  it('are tried on every route that takes one: a new route needs a row in test/world/foreign-ids.ts', async () => {
    expect((await routesWithIds()).sort()).toEqual(Object.keys(FOREIGN_CALLS).sort());
  });

  const calls = Object.entries(FOREIGN_CALLS).flatMap(([route, call]) => ('id' in call ? [[route, call] as [string, ForeignCall]] : []));

  it.each(calls)('%s answers as for an id that nobody has', async (route, { id, query, type, body, ownerRefused }) => {
    const [method, path] = route.split(' ') as [string, string];
    const url = (name: string) => path.replace(/\{\w+\}/, name) + (query?.(name, owned) ?? '');
    const { theirs, nobodys } = owned[id];
    const [foreign, unknown] = [
      await send('bank-b', method, url(theirs), body, type),
      await send('bank-b', method, url(nobodys), body, type),
    ];
    expect(unknown.status).toBeGreaterThanOrEqual(400);
    expect(seen(foreign, theirs)).toEqual(seen(unknown, nobodys));
    // And it is there: its owner sees it.
    if (method === 'GET' && !ownerRefused) expect((await send('bank-a', method, url(theirs))).status).toBe(200);
  });

  it.each(Object.entries(SAID_ELSEWHERE))('%s answers as for an id that nobody has', async (route, { id, body }) => {
    const [method, start] = route.split(' ') as [string, string];
    const { theirs, nobodys } = owned[id];
    const url = (name: string) => (start.endsWith('=') ? start + name : start);
    const [foreign, unknown] = [
      await send('bank-b', method, url(theirs), body && JSON.stringify(body(theirs))),
      await send('bank-b', method, url(nobodys), body && JSON.stringify(body(nobodys))),
    ];
    expect(seen(foreign, theirs)).toEqual(seen(unknown, nobodys));
  });

  it.each(calls)('%s has nothing of a name that cannot be', async (route, { query, type, body }) => {
    const [method, path] = route.split(' ') as [string, string];
    for (const name of ['%00', 'x'.repeat(129), 'x'.repeat(2_000)]) {
      const { status, body: problem } = await send(
        'bank-b',
        method,
        path.replace(/\{\w+\}/, name) + (query?.(name, owned) ?? ''),
        body,
        type,
      );
      expect([name.length, status, problem], String(status)).toEqual([
        name.length,
        expect.toSatisfy((code: number) => code < 500),
        expect.anything(),
      ]);
    }
  });

  it('lists end where no row can be', async () => {
    for (const list of ['uses', 'versions']) {
      const { status, body } = await send('bank-a', 'GET', `/v1/consents/${owned.consent.theirs}/${list}?after=999999999999999`);
      expect([status, (body as Record<string, unknown>)[list]]).toEqual([200, []]);
    }
  });

  it('change nothing of what they name', async () => {
    const keys = await send('bank-a', 'GET', `/v1/participants/me/keys/${owned.kid.theirs}`);
    const consent = await send('bank-a', 'GET', `/v1/consents/${owned.consent.theirs}`);
    expect([(keys.body as { state: string }).state, (consent.body as { state: string }).state]).toEqual(['ANNOUNCED', 'REQUESTED']);
    const waiting = await send('bank-a', 'POST', '/v1/events/poll', '{"returnImmediately":true}');
    expect(Object.keys((waiting.body as { sets: object }).sets)).toContain(owned.event.theirs);
  });
});
