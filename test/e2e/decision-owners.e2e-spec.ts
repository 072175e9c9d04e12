import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';

/** What a service decided, holds or may spend is, to another service with every scope, as if it had never been. */

let world: DecisionWorld;
let subject: string;
let key: string;
const theirs = { decisions: '', reservations: '', allowances: '' };
type Owned = keyof typeof theirs;

beforeAll(async () => {
  world = await decisionWorld();
  subject = await world.newSubject();
  key = newKey();
  const { body: reserved } = await world.http('POST', '/v1/decisions', { body: reserveBody(subject), key });
  theirs.decisions = String(reserved['decisionId']);
  theirs.reservations = (reserved as unknown as { reservation: { id: string } }).reservation.id;
  const asked = { subject, service: 'checkout', amount: { amount: '5.00', currency: 'CNY' }, spends: 1, seconds: 60 };
  const { body: granted } = await world.http('POST', '/v1/allowances', { body: asked, key: newKey() });
  theirs.allowances = (granted as unknown as { allowance: { allowanceId: string } }).allowance.allowanceId;
});
afterAll(() => world?.close());

const stranger = () => world.token(undefined, 'another-service');
/** An id of the same form that nobody has. */
const nobodys = (kind: Owned) => theirs[kind].slice(0, -1) + (theirs[kind].endsWith('0') ? '1' : '0');

const BODIES: Readonly<Record<string, object>> = { settlements: { spends: [], close: true } };
const ROUTES = readFileSync('apps/decision-api/README.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const cells = /^\| `(GET|POST) (\/v1\/(decisions|reservations|allowances)\/\{id\}\S*)`/.exec(line);
    return cells ? [[cells[1]!, cells[2]!, cells[3] as Owned] as const] : [];
  });
type Method = [method: string, kind: Owned, field: string, more: object];
const METHODS: Method[] = [
  ...['GetDecision', 'GetReceipt'].map((method): Method => [method, 'decisions', 'decisionId', {}]),
  ...['GetReservation', 'Confirm', 'Release'].map((method): Method => [method, 'reservations', 'reservationId', {}]),
  ['Refund', 'reservations', 'reservationId', { idempotencyKey: 'refund-12345' }],
  ['GetAllowance', 'allowances', 'allowanceId', {}],
  ['SettleAllowance', 'allowances', 'allowanceId', { close: true }],
];

describe('ids of another service', () => {
  it.each(ROUTES)('%s %s answers as for an id that nobody has', async (method, path, kind) => {
    const body = BODIES[path.split('/').at(-1)!] ?? {};
    const ask = async (id: string) => {
      const call = { token: stranger(), key: 'stranger-1234', ...(method === 'POST' ? { body } : {}) };
      const answer = await world.http(method, path.replace('{id}', id), call);
      return { status: answer.status, body: { ...answer.body, instance: 'any' } };
    };
    const foreign = await ask(theirs[kind]);
    expect(foreign).toEqual(await ask(nobodys(kind)));
    expect(foreign.status).toBe(404);
  });

  it.each(METHODS)('%s answers as for an id that nobody has', async (method, kind, field, more) => {
    const ask = (id: string) =>
      world.grpc(method, { [field]: id, ...more }, stranger()).then(
        () => 'answered',
        ({ code, details, problem }: { code: number; details: string; problem: string }) => ({ code, details, problem }),
      );
    const foreign = await ask(theirs[kind]);
    expect(foreign).toEqual(await ask(nobodys(kind)));
    expect(foreign).toMatchObject({ code: 5 });
  });

  it('have no method and no route beside these', () => {
    const fields = ['decisionId', 'reservationId', 'allowanceId'];
    // The loader describes each message beside its methods; the type of a method says nothing of it.
    const methods = world.methods as unknown as Record<string, { requestType: { type: { field: readonly { name: string }[] } } }>;
    const taking = Object.entries(methods).filter(([, { requestType }]) =>
      requestType.type.field.some(({ name }) => fields.includes(name)),
    );
    expect(taking.map(([name]) => name).sort()).toEqual(METHODS.map(([name]) => name).sort());
    expect(ROUTES).toHaveLength(9);
  });

  it('and its keys are of another world', async () => {
    const ask = (asked: string) => world.http('GET', `/v1/decisions?subject=${subject}&key=${asked}`, { token: stranger() });
    const [foreign, unknown] = [await ask(key), await ask(newKey())];
    expect([foreign.status, { ...foreign.body, instance: '' }]).toEqual([404, { ...unknown.body, instance: '' }]);
  });

  it('are still the owner’s afterwards, as they were', async () => {
    const get = async (path: string) => (await world.http('GET', path)).body;
    expect(await get(`/v1/decisions/${theirs.decisions}`)).toMatchObject({ outcome: 'ALLOW' });
    expect(await get(`/v1/reservations/${theirs.reservations}`)).toMatchObject({ state: 'RESERVED' });
    expect(await get(`/v1/allowances/${theirs.allowances}`)).toMatchObject({ state: 'OPEN' });
  });
});
