import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parsePublicJwk } from '#evidence';
import { type ShardedId, systemClock } from '#kernel';
import { type Config, findRedisServer, type ServerProcess, startRedis } from '#platform';
import { BankClient, EventRejectedError, type ReceivedEvent } from '#sdk';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { startToyReceiver, type ToyReceiver } from '../world/toy-receiver.js';
import { until } from '../world/worker-world.js';

const WORKER = 'dist/apps/worker/src/main.js';

let world: GatewayWorld;
let config: Config;
let subjects: Subjects;
let bank: BankClient;
let toy: ToyReceiver;
let folder: string;
let last = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'webhooks-'));
  world = await openGatewayWorld();
  const ca = path.join(world.home, 'pki/server/ca.pem');
  config = { ...world.config, WORKER_PORT: 0, WEBHOOK_CA_FILE: ca, WEBHOOK_TIMEOUT_MS: 1_000 };
  subjects = new Subjects(new PgExchange(world.fresh.database), nodeClerk, systemClock);
  bank = await clientOf('bank-a');
  // That it has a new key, it has heard.
  await bank.pollEvents(Object.keys((await bank.pollEvents()).sets));
  toy = await receiverOf('bank-a');
});
afterAll(async () => {
  await toy.close();
  await bank.close();
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

async function clientOf(id: 'bank-a' | 'bank-b'): Promise<BankClient> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const kid = `${id}-webhooks`;
  await world.participants.addKey(id, parsePublicJwk({ ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA' }));
  const { ca, cert, key } = world.client(id);
  return new BankClient({ origin: world.config.GATEWAY_ORIGIN, ca, cert, key, signingKey: { kid, alg: 'EdDSA', privateKey } });
}

function receiverOf(participant: string): Promise<ToyReceiver> {
  const keys = async () =>
    ((await world.call(world.client('bank-b'), '/.well-known/jwks.json').expect(200)).body as { keys: object[] }).keys;
  const pki = path.join(world.home, 'pki');
  return startToyReceiver({ pki, folder, participant, issuer: world.config.GATEWAY_ORIGIN, keys: keys as never });
}

/** A subject that is linked to a bank and unlinked again: two events, in this order. */
async function linkAndEnd(participant: string): Promise<ShardedId> {
  const { id } = await subjects.register({ caller: 'test', key: `webhooks-${++last}`, kind: 'INDIVIDUAL' });
  const { link } = await subjects.link(id, { participant });
  await subjects.endLink(id, link.ref);
  return link.ref;
}

const inOrder = (heard: readonly ReceivedEvent[]) => {
  const kinds = new Map<string, string[]>();
  for (const { subject, kind } of heard) kinds.set(subject, [...(kinds.get(subject) ?? []), kind]);
  for (const told of kinds.values()) expect(told).toEqual(['link.created', 'link.ended']);
  return kinds.size;
};
const heardAll = (receiver: ToyReceiver, count: number) => until(async () => (receiver.heard.length >= count ? true : undefined));

describe('a bank hears by webhook', () => {
  let worker: NestFastifyApplication;
  beforeAll(async () => {
    worker = await createWorker(config, pino({ level: 'silent', base: { app: 'worker' } }));
    await worker.listen(0, '127.0.0.1');
  });
  afterAll(() => worker.close());

  it('registers, echoes the challenge, and hears everything once and in order', async () => {
    await linkAndEnd('bank-a');
    expect(await bank.webhook.register(toy.url)).toMatchObject({ url: toy.url, state: 'UNCONFIRMED', events: { waiting: 2 } });
    await heardAll(toy, 2);
    await linkAndEnd('bank-a');
    await heardAll(toy, 4);
    expect(inOrder(toy.heard)).toBe(2);
    await until(async () => ((await bank.webhook.status()).events.waiting === 0 ? true : undefined));
    expect(await bank.webhook.status()).toMatchObject({ state: 'ACTIVE', kinds: [], events: { waiting: 0, failing: 0, dead: 0 } });
    expect((await bank.pollEvents()).sets).toEqual({});
  });

  it('that it rejects, is told to staff and held back, and the poll settles it', async () => {
    toy.handle = () => Promise.reject(new EventRejectedError('no_such_customer', 'we do not know this reference'));
    const before = toy.heard.length;
    await linkAndEnd('bank-a');
    await until(async () => ((await bank.webhook.status()).events.failing === 1 ? true : undefined));
    expect(await bank.webhook.status()).toMatchObject({ state: 'ACTIVE', events: { waiting: 2 } });
    toy.handle = () => Promise.resolve();
    const { sets } = await bank.pollEvents();
    await bank.pollEvents(Object.keys(sets));
    expect(await bank.webhook.status()).toMatchObject({ events: { waiting: 0, failing: 0 } });
    expect(toy.heard).toHaveLength(before);
  });

  it('never reaches a receiver that redirects, and says what is wrong with one', async () => {
    const other = await clientOf('bank-b');
    const tls = { cert: world.pki('server/cert.pem'), key: world.pki('server/key.pem') };
    const asked: string[] = [];
    const server = createServer(tls, (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(302, { location: toy.url }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await other.webhook.register(`https://localhost:${port}/hook`);
      const { trouble } = await until(async () => ((await other.webhook.status()).trouble ? other.webhook.status() : undefined));
      expect(trouble).toMatchObject({ last: { err: 'challenge_not_echoed', description: expect.stringContaining('302') as string } });
      expect(asked).toEqual(['/hook']);
      await other.webhook.remove();
      await expect(other.webhook.status()).rejects.toMatchObject({ code: 'webhook.unknown' });
    } finally {
      server.close();
      await other.close();
    }
  });

  it.each([
    ['http://bank.example/hook', 'webhook.malformed'],
    ['https://user:word@bank.example/hook', 'webhook.malformed'],
    ['not a url', 'webhook.malformed'],
    ['https://10.1.2.3/hook', 'webhook.address_refused'],
    ['https://[::ffff:192.168.0.1]:8443/hook', 'webhook.address_refused'],
    ['https://169.254.169.254/hook', 'webhook.address_refused'],
  ])('is refused %s', async (url, code) => {
    await expect(bank.webhook.register(url)).rejects.toMatchObject({ code });
  });
});

describe.runIf(existsSync(WORKER) && inject('TEST_REDIS_URL') !== undefined)('a worker killed while it pushes, and Redis emptied', () => {
  let redis: ServerProcess;
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    redis = await startRedis({ command: findRedisServer()!, folder: path.join(folder, 'redis'), password: 'test' });
  });
  afterAll(async () => {
    child?.kill('SIGKILL');
    await redis.stop();
  });

  it('lose no event, repeat none to the bank, and keep the order', async () => {
    const before = toy.heard.length;
    const settings = Object.entries({ ...config, REDIS_URL: redis.url, DATABASE_URL: world.fresh.url });
    const env = Object.fromEntries(settings.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
    const start = () => (child = spawn(process.execPath, [WORKER], { env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' }));
    toy.handle = () => new Promise((resolve) => setTimeout(resolve, 20));
    const count = 60;
    for (let i = 0; i < count; i++) await linkAndEnd('bank-a');
    start();
    await heardAll(toy, before + 10);
    child!.kill('SIGKILL');
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    expect((await bank.webhook.status()).events.waiting).toBeGreaterThan(0);
    start();
    await until(async () => ((await bank.webhook.status()).events.waiting === 0 ? true : undefined));
    expect(toy.heard).toHaveLength(before + 2 * count);
    expect(inOrder(toy.heard.slice(before))).toBe(count);
  });
});
