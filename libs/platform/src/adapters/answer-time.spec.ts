import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { limitAnswerTime } from './answer-time.js';

const BYTES = 32 * 1024 * 1024;
let fastify: FastifyInstance;

beforeAll(async () => {
  fastify = Fastify();
  const app = { getHttpAdapter: () => ({ getInstance: () => fastify }) } as unknown as NestFastifyApplication;
  limitAnswerTime(app, { graceMs: 300, bytesPerSecondMin: 64 * 1024 * 1024 });
  const large = Buffer.alloc(BYTES, 'x');
  fastify.get('/whole', () => large);
  fastify.get('/streamed', (_request, reply) => reply.header('content-length', String(BYTES)).send(Readable.from([large])));
  await fastify.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => fastify.close());

function ask(path: string): net.Socket {
  const socket = net.connect((fastify.server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return socket;
}

it.each(['/whole', '/streamed'])('who does not take a large answer, %s, is cut, and its connection is gone', async (path) => {
  const [accepted] = (await Promise.all([once(fastify.server, 'connection'), ask(path).pause()])) as unknown as [[net.Socket]];
  await once(accepted[0], 'close');
  expect(accepted[0].destroyed).toBe(true);
});

it.each(['/whole', '/streamed'])('who takes it, %s, gets it whole', async (path) => {
  expect((await buffer(ask(path))).length).toBeGreaterThan(BYTES);
});
