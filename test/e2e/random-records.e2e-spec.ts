import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ShardedId, formatId, systemClock } from '#kernel';
import { createLogger } from '#platform';
import { jtiOf } from '#records/testing/records';
import { BankClient, signRecord, type SigningKey, writeBatch } from '#sdk';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import { Dice } from '../sim/dice.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { freshKey, KEY_KINDS, type RandomKey } from '../world/random-keys.js';
import { randomRecord } from '../world/random-record.js';

/** `RANDOM_RECORDS=10000 RANDOM_SEED=7` is the long form. */
const count = Number(process.env['RANDOM_RECORDS'] ?? 120);
const seed = Number(process.env['RANDOM_SEED'] ?? 1);
const perSubject = 400;

let world: GatewayWorld;
let worker: NestFastifyApplication;
let bank: BankClient;
let keys: readonly RandomKey[];
const refs: ShardedId[] = [];

beforeAll(async () => {
  world = await openGatewayWorld();
  keys = KEY_KINDS.map(freshKey);
  for (const { publicJwk } of keys) await world.participants.addKey('bank-a', publicJwk);
  worker = await createWorker({ ...world.config, WORKER_PORT: 0 }, createLogger('test', 'silent'));
  const subjects = new Subjects(new PgExchange(world.fresh.database), nodeClerk, systemClock);
  for (let i = 0; i < Math.ceil(count / perSubject); i++) {
    const { id } = await subjects.register({ caller: 'test', key: `subject-${i}`, kind: 'INDIVIDUAL' });
    refs.push((await subjects.link(id, { participant: 'bank-a' })).link.ref);
  }
  const { ca, cert, key } = world.client('bank-a');
  bank = new BankClient({ origin: `https://localhost:${world.port}`, ca, cert, key, signingKey: keys[0]!.signing });
}, 60_000);

afterAll(async () => {
  await bank?.close();
  await worker?.close();
  await world?.close();
});

/** As `openssl dgst` or `pkeyutl` says: with the public key and the bytes that came back, and nothing of ours. */
function verifiesWithOpenssl(jws: string, { signing, publicPem }: RandomKey): boolean {
  const [header, payload, signature] = jws.split('.') as [string, string, string];
  const at = (name: string) => path.join(world.home, 'openssl', name);
  mkdirSync(at(''), { recursive: true });
  writeFileSync(at('key.pem'), publicPem);
  writeFileSync(at('input'), `${header}.${payload}`);
  const raw = Buffer.from(signature, 'base64url');
  writeFileSync(at('sig'), signing.alg === 'ES256' ? asDer(raw) : raw);
  const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
  const args = {
    EdDSA: ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', at('key.pem'), '-sigfile', at('sig'), '-in', at('input')],
    ES256: ['dgst', '-sha256', '-verify', at('key.pem'), '-signature', at('sig'), at('input')],
    PS256: ['dgst', '-sha256', ...pss, '-verify', at('key.pem'), '-signature', at('sig'), at('input')],
  }[signing.alg];
  return /Verified (OK|Successfully)/.test(execFileSync('openssl', args, { encoding: 'utf8' }));
}

/** r and s (RFC 7518 §3.4) as openssl wants them. */
function asDer(raw: Buffer): Buffer {
  const integer = (bytes: Buffer) => {
    const first = bytes.findIndex((byte) => byte !== 0);
    const short = bytes.subarray(first < 0 ? bytes.length - 1 : first);
    const content = short[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short;
    return Buffer.concat([Buffer.of(2, content.length), content]);
  };
  const both = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, both.length), both]);
}

describe(`${count} random records, seed ${seed}`, () => {
  it('come back byte for byte, and verify with openssl', async () => {
    const dice = new Dice(seed);
    const sent = new Map<string, { jws: string; key: RandomKey }>();
    for (let n = 1; n <= count; n++) {
      const record = randomRecord(dice, { iss: 'bank-a', sub: formatId('lnk', refs[n % refs.length]!), jti: jtiOf(n), seq: n });
      const key = dice.pick(keys);
      sent.set(record.jti, { jws: await signRecord(record, key.signing as SigningKey), key });
    }
    const lines = [...sent.values()].map(({ jws }) => jws);
    const alone = lines.splice(0, Math.min(20, Math.floor(count / 4)));
    for (const jws of alone) await bank.submitRecord(jws);
    const file = path.join(world.home, 'random.ndjson.gz');
    await writeBatch(file, lines, { gzip: true });
    const { id } = await bank.batches.submit(file);
    const { lines: counted } = await bank.batches.wait(id, { pollMs: 50 });
    expect(counted).toMatchObject({ total: lines.length, accepted: lines.length, refused: 0 });

    const different: string[] = [];
    const unverified: string[] = [];
    for (const [jti, { jws, key }] of sent) {
      const found = (await bank.record(jti)) as { jws: string; payloadDigest: string };
      const digest = createHash('sha256')
        .update(Buffer.from(jws.split('.')[1]!, 'base64url'))
        .digest('base64url');
      if (found.jws !== jws || found.payloadDigest !== digest) different.push(jti);
      if (!verifiesWithOpenssl(found.jws, key)) unverified.push(jti);
    }
    expect({ different, unverified }).toEqual({ different: [], unverified: [] });
  }, 600_000);
});
