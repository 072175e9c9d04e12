import 'reflect-metadata';
import { once } from 'node:events';
import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { freePort } from '#platform';
import { refusedTotal } from '#platform/adapters/refused-total';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';
import type { GrpcLimits } from '../../apps/decision-api/src/grpc-connections.js';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';

/** A peer that lives answers a ping ten times between two looks. */
const LIMITS: GrpcLimits = { connectionsMax: 3, streamsMax: 4, idleMs: 600, pingEveryMs: 200, pingAnswerMs: 30_000, lookEveryMs: 2_000 };
const PATIENT = { interval: 50, timeout: 20_000 };

/** RFC 9113 §6.5. */
const [SETTINGS, ACK] = [4, 1];

type Client = grpc.Client & {
  decide(message: object, metadata: grpc.Metadata, done: (error: grpc.ServiceError | null, answer?: { outcome: string }) => void): void;
  decideStream(metadata: grpc.Metadata): grpc.ClientDuplexStream<object, { tag: string; answer?: { outcome: string } }>;
};

let world: DecisionWorld;
let door: NestFastifyApplication;
let port: number;
let subject: string;
const told: { msg: string; connectionsMax?: number }[] = [];

beforeAll(async () => {
  world = await decisionWorld();
  subject = await world.newSubject();
  port = await freePort();
  const logger = pino({ level: 'warn' }, { write: (line: string) => void told.push(JSON.parse(line) as never) });
  door = await createDecisionApi({ ...world.config, DECISION_GRPC_PORT: port }, logger, LIMITS);
  await door.listen(0, '127.0.0.1');
});
/** What a test closed is closed at the door, too. */
afterEach(() => pause(LIMITS.idleMs));
afterAll(async () => {
  await door?.close();
  await world?.close();
});

/** A client with a connection of its own: grpc-js shares those to one place. */
function newClient(): Client {
  const Service = grpc.makeGenericClientConstructor(world.methods, 'DecisionService');
  return new Service(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }) as never;
}

function token(): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${world.token()}`);
  return metadata;
}

const ask = (change: object = {}) => ({ ...reserveBody(subject), idempotencyKey: newKey(), ...change });

/** The outcome, or the status that the call ended with. */
function decide(client: Client): Promise<string> {
  return new Promise((resolve) =>
    client.decide(ask(), token(), (error, answer) => resolve(error ? grpc.status[error.code]! : answer!.outcome)),
  );
}

const refused = async () => (await refusedTotal.get()).values.find(({ labels }) => labels.code === 'connections.too_many')?.value ?? 0;

it('a process has so many gRPC connections and no more: a new one is UNAVAILABLE at once, those it has are served, and one that ends makes room', async () => {
  const before = await refused();
  const clients = [newClient(), newClient(), newClient()];
  // Streams keep the three from being ended as idle.
  const streams = clients.map((client) => client.decideStream(token()).on('error', () => undefined));
  for (const client of clients) expect(await decide(client)).toBe('ALLOW');
  const fourth = newClient();

  expect(await decide(fourth)).toBe('UNAVAILABLE');
  expect(await refused()).toBeGreaterThan(before);
  expect(told.filter(({ connectionsMax }) => connectionsMax === LIMITS.connectionsMax)).toHaveLength(1);
  expect(await decide(clients[0]!)).toBe('ALLOW');

  for (const stream of streams) stream.cancel();
  clients[1]!.close();
  // Clients of gRPC try again by themselves, a second later and then less often.
  await expect.poll(() => decide(fourth), PATIENT).toBe('ALLOW');
  for (const client of [...clients, fourth]) client.close();
});

it('a connection without a call is ended with GOAWAY, and the next call opens another', async () => {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const [code] = (await once(session, 'goaway')) as [number];
  expect(code).toBe(http2.constants.NGHTTP2_NO_ERROR);
  const client = newClient();
  expect(await decide(client)).toBe('ALLOW');
  await expect.poll(() => client.getChannel().getConnectivityState(false), PATIENT).toBe(grpc.connectivityState.IDLE);
  expect(await decide(client)).toBe('ALLOW');
  client.close();
});

it('a stream of decisions is no idle connection: it is answered after a rest much longer than that', async () => {
  const client = newClient();
  const stream = client.decideStream(token());
  const answers: string[] = [];
  stream.on('data', ({ tag, answer }) => answers.push(`${tag} ${answer?.outcome ?? 'problem'}`));
  stream.write(ask({ tag: 1 }));
  await expect.poll(() => answers, PATIENT).toEqual(['1 ALLOW']);
  await pause(2 * LIMITS.lookEveryMs + LIMITS.idleMs);
  stream.write(ask({ tag: 2 }));
  await expect.poll(() => answers, PATIENT).toEqual(['1 ALLOW', '2 ALLOW']);
  stream.end();
  await once(stream, 'end');
  client.close();
});

it.each([
  ['says nothing', Buffer.alloc(0)],
  ['says hello and leaves what we ended open', Buffer.concat([preface(), frame(SETTINGS), frame(SETTINGS, ACK)])],
])('a peer that %s holds no place for ever', async (_, words) => {
  const silent: Socket[] = [];
  for (let i = 0; i < LIMITS.connectionsMax; i++) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
    await once(socket, 'connect');
    socket.resume().write(words);
    silent.push(socket);
  }
  const client = newClient();
  expect(await decide(client)).toBe('UNAVAILABLE');
  await expect.poll(() => decide(client), PATIENT).toBe('ALLOW');
  expect(silent.some(({ writableEnded }) => writableEnded)).toBe(false);
  client.close();
  for (const socket of silent) socket.destroy();
});

function preface(): Buffer {
  return Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
}

/** RFC 9113 §4.1: an empty frame on the connection itself. */
function frame(type: number, flags = 0): Buffer {
  return Buffer.from([0, 0, 0, type, flags, 0, 0, 0, 0]);
}
