import { gzipSync } from 'node:zlib';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JsonObject, signJws } from '#evidence';
import { type ShardedId, systemClock } from '#kernel';
import { createLogger } from '#platform';
import { jtiOf, rating, recordHead } from '#records/testing/records';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { until } from '../world/worker-world.js';

let world: GatewayWorld;
let worker: NestFastifyApplication;
let ref: ShardedId;
let n = 0;

interface Batch {
  readonly id: string;
  readonly state: string;
  readonly lines: Readonly<Record<'total' | 'done' | 'accepted' | 'repeated' | 'refused', number>>;
}

interface Line {
  readonly line: number;
  readonly outcome: string;
  readonly jti?: string;
  readonly code?: string;
  readonly receipt?: string;
}

beforeAll(async () => {
  world = await openGatewayWorld();
  worker = await createWorker({ ...world.config, WORKER_PORT: 0 }, createLogger('test', 'silent'));
  const subjects = new Subjects(new PgExchange(world.fresh.database), nodeClerk, systemClock);
  const { id } = await subjects.register({ caller: 'test', key: 'one', kind: 'INDIVIDUAL' });
  ref = (await subjects.link(id, { participant: 'bank-a' })).link.ref;
}, 60_000);

afterAll(async () => {
  await worker?.close();
  await world?.close();
});

const rated = () => ({ ...recordHead('bank-a', ref, ++n, new Date()), kind: 'rating', rating: rating(800) });
const lineOf = (record: object) => signJws('credit-record+jwt', record as JsonObject, world.signers['bank-a']);
const get = (url: string, bank = 'bank-a') => world.call(world.client(bank), url);
const post = (body: string | Buffer, encoding?: string) => {
  const made = world.call(world.client('bank-a'), '/v1/record-batches', 'post').set('content-type', 'application/x-ndjson');
  return (encoding ? made.set('content-encoding', encoding) : made).send(body);
};
const done = (id: string) =>
  until(async () => {
    const { body } = await get(`/v1/record-batches/${id}`).expect(200);
    return (body as Batch).state === 'DONE' ? (body as Batch) : undefined;
  });
const linesOf = async (url: string): Promise<Line[]> => {
  const answer = await get(url).buffer(true).parse(asText).expect(200);
  return (answer.body as string)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
};

function asText(answer: Response, done: (error: null, text: string) => void): void {
  let text = '';
  answer.on('data', (piece: Buffer) => (text += piece.toString()));
  answer.on('end', () => done(null, text));
}

describe('a night’s records', () => {
  it('are taken at once, worked off by the worker, and answered line by line', async () => {
    const lines = [...Array.from({ length: 40 }, () => lineOf(rated())), 'nonsense', ...Array.from({ length: 5 }, () => lineOf(rated()))];
    const sent = await post(gzipSync(lines.join('\n')), 'gzip').expect(202);
    const { id, lines: counts } = sent.body as Batch;
    expect(sent.headers['location']).toBe(`/v1/record-batches/${id}`);
    expect(counts).toEqual({ total: 46, done: 0, accepted: 0, repeated: 0, refused: 0 });

    expect((await done(id)).lines).toEqual({ total: 46, done: 46, accepted: 45, repeated: 0, refused: 1 });
    const results = await linesOf(`/v1/record-batches/${id}/results`);
    expect(results.map(({ line }) => line)).toEqual(lines.map((_, i) => i + 1));
    const alone = await get(`/v1/records/${jtiOf(7)}/receipt`).expect(200);
    expect(results[6]).toEqual({ line: 7, outcome: 'ACCEPTED', jti: jtiOf(7), receipt: (alone.body as Line).receipt });
    expect(await linesOf(`/v1/record-batches/${id}/results?after=44`)).toHaveLength(2);
    expect(await linesOf(`/v1/record-batches/${id}/errors`)).toMatchObject([{ line: 41, outcome: 'REFUSED', code: 'signature.malformed' }]);

    const again = await post(lines.join('\n')).expect(200);
    expect([again.headers['idempotency-hit'], (again.body as Batch).id]).toEqual(['true', id]);
  });

  it('are nobody else’s to see', async () => {
    const { id } = (await post(lineOf(rated())).expect(202)).body as Batch;
    const theirs = await get(`/v1/record-batches/${id}`, 'bank-b').expect(404);
    const nobodys = await get(`/v1/record-batches/${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`, 'bank-b').expect(404);
    expect((theirs.body as { code: string }).code).toBe('batch.unknown');
    expect({ ...(theirs.body as object), instance: '' }).toEqual({ ...(nobodys.body as object), instance: '' });
    await done(id);
  });

  it.each([
    ['batch.empty', 400, '\n\n', undefined],
    ['batch.coding_broken', 400, 'plain', 'gzip'],
    ['content_encoding.unsupported', 415, 'x', 'br'],
    ['batch.coding_broken', 400, 'no zstd', 'zstd'],
  ])('are refused as %s', async (code, status, body, encoding) => {
    const answer = await post(body, encoding).expect(status);
    expect(answer.headers['accept-encoding']).toBe(status === 415 ? 'gzip, zstd' : undefined);
    expect((answer.body as { code: string }).code).toBe(code);
  });
});
