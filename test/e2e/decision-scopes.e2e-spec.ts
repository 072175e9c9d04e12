import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '#platform';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';

/** One row of the table in apps/decision-api/README.md. */
interface Row {
  readonly method: string;
  readonly path: string;
  readonly note: string;
  readonly grpc: readonly string[];
  readonly scope: string;
}

const ROWS = readFileSync('apps/decision-api/README.md', 'utf8')
  .split('\n')
  .flatMap((line): Row[] => {
    const cells = /^\| `(GET|POST) (\S+)`(.*?) \| (.*?) ?\| (.*?) ?\|$/.exec(line);
    if (!cells) return [];
    const [, method, path, note, grpc, scope] = cells as unknown as [string, string, string, string, string, string];
    return [{ method, path, note, grpc: [...grpc.matchAll(/`(\w+)`/g)].map(([, name]) => name!), scope: scope.replaceAll('`', '') }];
  });
const SCOPES = [...new Set(ROWS.flatMap(({ scope }) => (scope === '' ? [] : [scope])))];
const OPEN = ['/health', '/ready', '/metrics', '/.well-known/jwks.json'];

let world: DecisionWorld;
let subject: string;

beforeAll(async () => {
  world = await decisionWorld();
  subject = await world.newSubject();
});
afterAll(() => world?.close());

const allBut = (scope: string) => world.token(SCOPES.filter((one) => one !== scope).join(' ') || 'none');
const modeOf = ({ note }: Row) => (note.includes('EVALUATE') ? 'EVALUATE' : 'RESERVE');

function ask(row: Row, token: string) {
  const item = reserveBody(subject, { mode: modeOf(row) });
  const body = row.path.endsWith(':batch') ? { items: [{ ...item, key: newKey() }] } : row.path === '/v1/decisions' ? item : {};
  const path = row.path.replace(/\{\w+\}/g, 'x');
  return world.http(row.method, path, { token, key: newKey(), ...(row.method === 'POST' ? { body } : {}) });
}

/** The refusal, also where a batch tells it item by item. */
function codeOf(body: Readonly<Record<string, unknown>>): unknown {
  const [first] = (body['results'] ?? []) as { problem?: { code: string } }[];
  return first?.problem?.code ?? body['code'];
}

it('tokens of development are nobody’s in production', async () => {
  const config = { ...world.config, TALLYSTICK_ENV: 'production' } as const;
  await expect(createDecisionApi(config, createLogger('test', 'silent'))).rejects.toThrow(/INTERNAL_JWKS_FILE/);
});

describe('every route wants its scope', () => {
  it('is in the table, and nothing else is', async () => {
    const { paths } = (await world.http('GET', '/docs-json')).body as unknown as { paths: Record<string, object> };
    const routes = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const guarded = routes.filter((route) => !OPEN.some((path) => route.endsWith(` ${path}`)));
    expect([...new Set(ROWS.map(({ method, path }) => `${method} ${path}`))].sort()).toEqual(guarded.sort());
  });

  it.each(ROWS.map((row) => [`${row.method} ${row.path}${row.note}`, row] as const))('%s', async (_name, row) => {
    expect(await ask(row, '')).toMatchObject({ status: 401, body: { code: 'token.missing' } });
    expect(await ask(row, 'nonsense')).toMatchObject({ status: 401, body: { code: 'token.invalid' } });
    const refused = await ask(row, allBut(row.scope));
    if (row.scope === '') expect(refused.status).toBe(200);
    else expect(codeOf(refused.body)).toBe('scope.missing');
    // With its scope alone it is let in: whatever it answers then, it is not this.
    if (row.scope !== '') expect(codeOf((await ask(row, world.token(row.scope))).body)).not.toBe('scope.missing');
  });
});

describe('every method wants its scope', () => {
  const unary = () => Object.entries(world.methods).filter(([, { requestStream }]) => !requestStream);

  it('is in the table, and nothing else is', () => {
    expect([...new Set(ROWS.flatMap(({ grpc }) => grpc))].sort()).toEqual(Object.keys(world.methods).sort());
  });

  it('refuses without a token and without its scope', async () => {
    for (const [method] of unary()) {
      const row = ROWS.findLast(({ grpc }) => grpc.includes(method))!;
      const item = { ...reserveBody(subject, { mode: modeOf(row) }), idempotencyKey: newKey() };
      const message = method === 'DecideBatch' ? { items: [item] } : method === 'Decide' ? item : {};
      await expect(world.grpc(method, message, ''), method).rejects.toMatchObject({ code: 16, problem: 'token.missing' });
      const answer = await world.grpc(method, message, allBut(row.scope)).then(codeOf, ({ problem }: { problem: string }) => problem);
      expect([method, answer]).toEqual([method, 'scope.missing']);
    }
  });
});
