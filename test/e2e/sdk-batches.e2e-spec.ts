import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:https';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSealer } from '#audit/adapters/audit-wiring';
import { parsePublicJwk } from '#evidence';
import { formatId, parseId, type ShardedId, systemClock } from '#kernel';
import { createLogger } from '#platform';
import { jtiOf, rating, recordHead } from '#records/testing/records';
import {
  BankClient,
  BatchFailedError,
  GatewayClient,
  type LineOutcome,
  type SigningKey,
  signRecord,
  verifyEvidence,
  writeBatch,
  writeFailedLines,
} from '#sdk';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { installSdk } from '../world/installed-sdk.js';
import { until } from '../world/worker-world.js';

let world: GatewayWorld;
let worker: NestFastifyApplication;
let key: SigningKey;
let ref: ShardedId;
let n = 0;
const edPair = generateKeyPairSync('ed25519');
let bank: BankClient;

const file = (name: string) => path.join(world.home, name);
const rated = () => ({ ...recordHead('bank-a', ref, ++n, new Date()), kind: 'rating', rating: rating(800) });
const quickly = { pollMs: 20 };
const startWorker = () => createWorker({ ...world.config, WORKER_PORT: 0 }, createLogger('test', 'silent'));

beforeAll(async () => {
  world = await openGatewayWorld();
  const subjects = new Subjects(new PgExchange(world.fresh.database), nodeClerk, systemClock);
  const { id } = await subjects.register({ caller: 'test', key: 'one', kind: 'INDIVIDUAL' });
  ref = (await subjects.link(id, { participant: 'bank-a' })).link.ref;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await world.participants.addKey('bank-a', parsePublicJwk({ ...publicKey.export({ format: 'jwk' }), kid: 'es', alg: 'ES256' }));
  key = { kid: 'es', alg: 'ES256', privateKey: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
  await world.participants.addKey('bank-a', parsePublicJwk({ ...edPair.publicKey.export({ format: 'jwk' }), kid: 'ed', alg: 'EdDSA' }));
  worker = await startWorker();
  const { ca, cert, key: tlsKey } = world.client('bank-a');
  bank = new BankClient({ origin: `https://localhost:${world.port}`, ca, cert, key: tlsKey, signingKey: key });
}, 60_000);

afterAll(async () => {
  await bank?.close();
  await worker?.close();
  await world?.close();
});

async function signedLines(count: number): Promise<string[]> {
  return await Promise.all(Array.from({ length: count }, () => signRecord(rated(), key)));
}

async function outcomes(lines: AsyncIterable<LineOutcome>): Promise<LineOutcome[]> {
  const found: LineOutcome[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

describe('a bank’s night of records', () => {
  it('is written, sent, followed, read back; and sent again it is the same batch', async () => {
    const lines = [...(await signedLines(30)), 'nonsense', ...(await signedLines(3))];
    await writeBatch(file('night.gz'), lines, { gzip: true });
    const sent: number[] = [];
    const onSent = ({ sentBytes, sizeBytes }: { sentBytes: number; sizeBytes: number }) => sent.push(sentBytes / sizeBytes);
    const first = await bank.batches.submit(file('night.gz'), { onSent });
    expect([first.repeated, first.lines.total, sent.at(-1)]).toEqual([false, 34, 1]);
    const seen: number[] = [];
    const done = await bank.batches.wait(first.id, { ...quickly, onProgress: ({ lines: { done: taken } }) => seen.push(taken) });
    expect([done.lines.accepted, done.lines.refused, seen.at(-1)]).toEqual([33, 1, 34]);
    const results = await outcomes(bank.batches.results(first.id));
    expect(results.map(({ line, outcome }) => `${line} ${outcome}`)).toEqual(
      lines.map((line, i) => `${i + 1} ${line === 'nonsense' ? 'REFUSED' : 'ACCEPTED'}`),
    );
    expect(results[4]!.receipt).toBe((await bank.receipt(jtiOf(5))).receipt);
    expect(await bank.batches.submit(file('night.gz'))).toMatchObject({ id: first.id, repeated: true, state: 'DONE' });
    await writeBatch(file('night'), lines);
    expect(await bank.batches.submit(file('night'))).toMatchObject({ id: first.id, repeated: true });
  });

  it('under one seal proves each line alone, offline', async () => {
    const sealer = await createSealer(world.fresh.database, world.config, createLogger('test', 'silent'));
    const records = Array.from({ length: 20 }, rated);
    await writeBatch(file('sealed.gz'), [...records, { ...rated(), seq: 0 }], { seal: { iss: 'bank-a', key }, gzip: true });
    const { id, faults } = await bank.batches.submit(file('sealed.gz'));
    expect(faults).toMatchObject({ count: 1, first: [{ line: 22, code: 'record.malformed', field: '/seq' }] });
    expect((await bank.batches.wait(id, quickly)).lines).toMatchObject({ total: 21, accepted: 20, refused: 1 });
    const evidence = await until(async () => {
      await sealer.sealOnce();
      const bytes = await bank.evidence(records[7]!.jti);
      const report = await verifyEvidence(bytes, readFileSync(file('log/vkey'), 'utf8'));
      return report.steps.some(({ result }) => result === 'pending') ? undefined : { bytes, report };
    });
    expect(evidence.report).toMatchObject({ verified: true });
    const spoiled = Buffer.from(Buffer.from(evidence.bytes).toString().replace('"index":7', '"index":6'));
    expect(await verifyEvidence(spoiled, readFileSync(file('log/vkey'), 'utf8'))).toMatchObject({ verified: false });
  });

  it('is mended: only what was refused is sent again, and never taken for the batch before', async () => {
    const good = rated();
    const [wrong, right] = [{ ...rated(), kind: 'rumour' }, rated()];
    await writeBatch(file('failing'), [await signRecord(good, key), await signRecord(wrong, key)]);
    const first = await bank.batches.submit(file('failing'));
    expect(await bank.batches.saveErrors(first.id, file('errors.ndjson'), quickly)).toBe(1);
    expect(JSON.parse(readFileSync(file('errors.ndjson'), 'utf8'))).toMatchObject({ line: 2, code: 'record.malformed' });
    const unmended = await writeFailedLines(file('failing'), bank.batches.errors(first.id), file('second'));
    const second = await bank.batches.submit(file('second'));
    await writeFailedLines(file('second'), bank.batches.errors((await bank.batches.wait(second.id, quickly)).id), file('third'));
    const third = await bank.batches.submit(file('third'));
    expect([unmended, new Set([first.id, second.id, third.id]).size, third.repeated]).toEqual([1, 3, false]);
    const repair = () => signRecord(right, key);
    await bank.batches.wait(third.id, quickly);
    await writeFailedLines(file('third'), bank.batches.errors(third.id), file('mended'), { repair });
    const mended = await bank.batches.submit(file('mended'));
    expect((await bank.batches.wait(mended.id, quickly)).lines).toMatchObject({ total: 1, accepted: 1 });
  });

  it('is refused where what is read later is not what was signed for', async () => {
    const { ca, cert, key: tlsKey } = world.client('bank-a');
    const client = new GatewayClient({ origin: `https://localhost:${world.port}`, ca, cert, key: tlsKey, signingKey: key });
    const texts = ['one\n', 'two\n'];
    const body = { sizeBytes: 4, open: () => Readable.from([Buffer.from(texts.shift() ?? 'two\n')]) };
    const sent = client.send({ method: 'POST', path: '/v1/record-batches', body, contentType: 'application/x-ndjson' });
    await expect(sent).rejects.toMatchObject({ code: 'digest.mismatch' });
    await client.close();
  });
});

describe('the example of the package', () => {
  it('does all of it, and prints what its page says', async () => {
    const sdk = installSdk();
    const written = (name: string, text: string) => {
      writeFileSync(path.join(sdk.folder, name), text);
      return path.join(sdk.folder, name);
    };
    const { ca, cert, key: tlsKey } = world.client('bank-a');
    const printed = await sdk.run('a-night-of-records.mjs', {
      TALLY_GATEWAY: `https://localhost:${world.port}`,
      TALLY_KID: 'ed',
      TALLY_REF: formatId('lnk', ref),
      TALLY_LOG_KEYS: file('log/vkey'),
      TALLY_CA: written('ca.pem', ca),
      TALLY_CERT: written('cert.pem', cert),
      TALLY_KEY: written('key.pem', tlsKey),
      TALLY_SIGNING_KEY: written('signing.pem', edPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    });
    sdk.remove();
    expect(printed).toEqual([
      ...['lines written 100', 'accepted 99 refused 1', 'sent again, the same batch true', 'refused as record.malformed /rating/score'],
      ...['mended 1', 'line 2 verifies offline'],
    ]);
  });
});

describe('a connection that breaks in the middle of the upload', () => {
  it('costs a repetition of the same bytes, and there is one batch', async () => {
    await writeBatch(file('cut'), [...(await signedLines(5)), ...Array.from({ length: 20_000 }, (_, i) => `junk-${i}-${'x'.repeat(20)}`)]);
    const shares: number[] = [];
    const onSent = ({ sentBytes, sizeBytes }: { sentBytes: number; sizeBytes: number }) => {
      shares.push(sentBytes / sizeBytes);
      if (shares.length <= 2) (world.app.getHttpServer() as Server).closeAllConnections();
    };
    const sent = await bank.batches.submit(file('cut'), { onSent });
    expect([Math.max(...shares.slice(0, 2)) < 1, sent.repeated, sent.lines.total]).toEqual([true, false, 20_005]);
    const [row] = await world.fresh.database.query<{ n: bigint }>(
      `SELECT count(*) AS n FROM record_batches WHERE digest = decode($1, 'hex')`,
      [sent.sha256],
    );
    expect(row?.n).toBe(1n);
  });
});

describe('a batch whose lines the gateway lost', () => {
  const missing = async (id: string) =>
    await world.fresh.database.query('SELECT FROM record_batches WHERE batch = $1 AND lines_missing_since IS NOT NULL', [
      parseId('bat', id).uuid,
    ]);

  it('fails after an hour and says what to do: the same file, sent again, is the same batch, and done', async () => {
    await worker.close();
    await writeBatch(file('lost'), await signedLines(4));
    const { id } = await bank.batches.submit(file('lost'));
    rmSync(file('batches'), { recursive: true });
    worker = await startWorker();
    await until(async () => ((await missing(id)).length > 0 ? true : undefined));
    expect(await bank.batches.status(id)).toMatchObject({ state: 'PROCESSING' });
    await world.fresh.database.query(
      `UPDATE record_batches SET lines_missing_since = lines_missing_since - interval '1 hour', leased_until = '-infinity' WHERE batch = $1`,
      [parseId('bat', id).uuid],
    );
    const failure: unknown = await bank.batches.wait(id, quickly).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BatchFailedError);
    expect(failure).toMatchObject({
      code: 'batch.lines_lost',
      status: { state: 'FAILED', lines: { total: 4, done: 0 } },
    });
    expect(await bank.batches.submit(file('lost'))).toMatchObject({ id, repeated: false, state: 'RECEIVED' });
    expect((await bank.batches.wait(id, quickly)).lines).toMatchObject({ total: 4, done: 4, accepted: 4 });
  });
});
