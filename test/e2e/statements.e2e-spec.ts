import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { shardOf } from '#kernel';
import { camt053, type SampleEntry, samplePayment } from '#reconciliation/testing/samples';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { insertPayments, until } from '../world/worker-world.js';

const redisUrl = inject('TEST_REDIS_URL');
// A database number of its own: other files use the same Redis.
const homes = [
  { home: 'PostgreSQL', usable: true, redis: undefined },
  { home: 'Redis', usable: redisUrl !== undefined, redis: redisUrl && `${redisUrl}/7` },
];

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly breaks: readonly { readonly type: string; readonly reference: string | null }[];
  readonly matches: readonly { readonly reference: string; readonly identifiedBy: string }[];
  readonly next?: Record<string, number>;
}

describe.each(homes.filter(({ usable }) => usable))('statements over mTLS, queues on $home', ({ redis }) => {
  let world: GatewayWorld;
  let worker: NestFastifyApplication;

  beforeAll(async () => {
    world = await openGatewayWorld(redis === undefined ? {} : { redisUrl: redis });
    worker = await createWorker(world.config, pino({ level: 'silent', base: { app: 'worker' } }));
    await insertPayments(
      world.fresh.url,
      [1, 2, 3, 4, 5].map((n) => samplePayment(n)),
    );
  });
  afterAll(async () => {
    await worker?.close();
    await world?.close();
  });

  const send = (bank: string, body: Uint8Array | string, type = 'application/xml') =>
    world.call(world.client(bank), '/v1/statements', 'post').set('content-type', type).send(Buffer.from(body));
  const show = (bank: string, path: string) => world.call(world.client(bank), path);

  const ENTRIES: SampleEntry[] = [
    { endToEndId: 'P-1' },
    { endToEndId: 'P-2', minor: 10_001n },
    { endToEndId: 'P-3', minor: 9_999n },
    { endToEndId: 'P-4' },
    { endToEndId: 'P-4' },
    { endToEndId: 'STRANGE' },
  ];

  it('names exactly the planted breaks, to its sender and to nobody else', async () => {
    const filed = await send('bank-a', camt053(ENTRIES)).expect(202);
    const { location } = filed.headers as { location: string };
    expect(location).toBe(`/v1/reconciliations/${(filed.body as Shown).id}`);
    const done = await until(async () => {
      const shown = (await show('bank-a', location).expect(200)).body as Shown;
      return shown.state === 'BROKEN' ? shown : undefined;
    });
    expect(done.breaks.map(({ type, reference }) => `${type} ${reference}`)).toEqual([
      'OVER_AMOUNT P-2',
      'UNDER_AMOUNT P-3',
      'DUPLICATE P-4',
      'MISSING_OURS STRANGE',
      'MISSING_THEIRS P-5',
    ]);
    expect(done.matches).toMatchObject([
      { reference: 'P-1', identifiedBy: 'end_to_end_id' },
      { reference: 'P-4', identifiedBy: 'end_to_end_id' },
    ]);
    const page = (await show('bank-a', `${location}?limit=2&breaksAfter=2`).expect(200)).body as Shown;
    expect(page.breaks.map(({ type }) => type)).toEqual(['UNDER_AMOUNT', 'DUPLICATE']);
    expect(page.next).toMatchObject({ breaksAfter: 5 });

    const [stranger, nobody] = await Promise.all([
      show('bank-b', location),
      show('bank-b', '/v1/reconciliations/rec_000000000000000000000000000'),
    ]);
    const { instance: _a, ...first } = stranger.body as Record<string, unknown>;
    const { instance: _b, ...second } = nobody.body as Record<string, unknown>;
    expect([stranger.status, first]).toEqual([404, second]);
    expect([nobody.status, second]).toMatchObject([404, { code: 'reconciliation.unknown' }]);
  });

  it('answers the same file with the first reconciliation', async () => {
    const file = camt053([{ endToEndId: 'AGAIN' }]);
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => send('bank-a', file)));
    const ids = [first!, ...others].map(({ body }) => (body as Shown).id);
    expect(new Set(ids).size).toBe(1);
    expect([first!, ...others].map(({ status }) => status).sort()).toEqual([200, 200, 202]);
    const again = await send('bank-a', file).expect(200);
    expect(again.headers['idempotency-hit']).toBe('true');
    const other = await send('bank-b', file).expect(202);
    expect((other.body as Shown).id).not.toBe(ids[0]);
  });

  it.each([
    ['a malformed amount', 400, 'statement.amount_malformed', (text: string) => text.replace('100.00', '1e2')],
    [
      'a document type',
      400,
      'statement.dtd_refused',
      (text: string) => text.replace('<Document', '<!DOCTYPE d [<!ENTITY a "9">]><Document'),
    ],
    ['a cut file', 400, 'statement.truncated', (text: string) => text.slice(0, -40)],
    ['an empty body', 400, 'statement.truncated', () => ' '],
    ['another message', 422, 'statement.namespace_unknown', (text: string) => text.replace('camt.053', 'camt.054')],
    ['17 MiB', 413, 'statement.too_large', (text: string) => text.replace('<Stmt>', `<!--${'x'.repeat(17 * 2 ** 20)}--><Stmt>`)],
  ] as const)('%s is refused with its line and keeps nothing', async (_name, status, code, change) => {
    const shard = shardOf('bank-b');
    const count = async () => (await world.fresh.database.query('SELECT 1 FROM reconciliations WHERE shard = $1', [shard])).length;
    const before = await count();
    const refused = await send('bank-b', change(Buffer.from(camt053(ENTRIES)).toString()));
    expect([refused.status, (refused.body as { code: string }).code]).toEqual([status, code]);
    if (code !== 'statement.too_large') expect((refused.body as { line: number }).line).toBeGreaterThan(0);
    expect(await count()).toBe(before);
  });

  it('refuses other content types, unknown query fields and malformed ids', async () => {
    await send('bank-a', '{}', 'application/json').expect(415);
    const unknown = await show('bank-a', '/v1/reconciliations/rec_000000000000000000000000000?page=2').expect(400);
    expect(unknown.body).toMatchObject({ code: 'query.unknown_field', field: 'page' });
    await show('bank-a', '/v1/reconciliations/rec_1').expect(400);
    await show('bank-a', '/v1/reconciliations/rec_000000000000000000000000000?limit=1e3').expect(400);
  });
});
