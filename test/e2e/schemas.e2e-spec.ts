import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RECORD_SCHEMAS } from '#contract';
import { ANSWERS } from '../../apps/gateway/src/answers/answers.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

let world: GatewayWorld;
beforeAll(async () => void (world = await openGatewayWorld()));
afterAll(() => world?.close());

const get = (url: string) => world.call(world.client('bank-a'), url).buffer(true);

it('a partner downloads the schema of each kind, and finds them in the list with their digests', async () => {
  const { version, schemas } = (await get('/v1/schemas').expect(200)).body as {
    version: string;
    schemas: { kind: string; href: string; sha256: string }[];
  };
  expect([version, schemas.map(({ kind }) => kind)]).toEqual([
    expect.stringMatching(/^\d+\.\d+\.\d+$/),
    RECORD_SCHEMAS.map(({ kind }) => kind),
  ]);
  for (const { href, sha256 } of schemas) {
    const answer = await get(href).parse((from, done) => {
      const pieces: Buffer[] = [];
      from.on('data', (piece: Buffer) => pieces.push(piece)).on('end', () => done(null, Buffer.concat(pieces)));
    });
    expect(answer.headers['content-type']).toMatch(/^application\/schema\+json/);
    expect(
      createHash('sha256')
        .update(answer.body as Buffer)
        .digest('hex'),
    ).toBe(sha256);
    expect(RECORD_SCHEMAS.map(({ schema }) => schema)).toContainEqual(JSON.parse((answer.body as Buffer).toString()));
  }
  await get('/v1/schemas/rumour').expect(404);
  expect(JSON.stringify((await get('/docs-json').expect(200)).body)).toContain('/v1/schemas/{kind}');
});

/** That the answers are so, every test with a gateway shows: `test/world/checked-answers.ts`. */
it('the interface description tells of every call what it answers, and of no other', async () => {
  const { paths } = (await get('/docs-json').expect(200)).body as {
    paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>>;
  };
  const told = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { responses }]) => [`${method.toUpperCase()} ${path}`, responses] as const),
  );
  const partners = told.filter(([call]) => / \/(v1|\.well-known)\//.test(call));
  expect(partners.map(([call]) => call).sort()).toEqual(Object.keys(ANSWERS).sort());
  for (const [call, responses] of partners) {
    const { statuses, content } = ANSWERS[call]!;
    expect(Object.keys(responses), call).toEqual([...statuses.map(String).sort(), 'default']);
    for (const status of statuses) {
      expect(Object.keys(responses[status]?.content ?? {}), call).toEqual(Object.keys(content));
      for (const { schema } of Object.values(responses[status]?.content ?? {})) expect(Object.keys(schema).length, call).toBeGreaterThan(0);
    }
  }
});
