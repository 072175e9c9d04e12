import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GatherEvidence, type Sealer } from '#audit';
import { createSealer } from '#audit/adapters/audit-wiring';
import {
  createEd25519Signer,
  encodeBase64Url,
  GrowingTree,
  type JsonObject,
  leafHash,
  nodeCrypto,
  parsePublicJwk,
  parseVkeys,
  type RecordEvidence,
  signJws,
  verifyRecordEvidence,
} from '#evidence';
import { type ShardedId, systemClock } from '#kernel';
import { createLogger } from '#platform';
import { PgIssuerRecords } from '#records/adapters/pg-issuer-records';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import { jtiOf, rating, recordHead } from '#records/testing/records';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { register } from '../../apps/cli/src/commands/verify.js';
import { createWorker } from '../../apps/worker/src/start-worker.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { until } from '../world/worker-world.js';

let world: GatewayWorld;
let sealer: Sealer;
let ref: ShardedId;
let n = 0;

const home = (name: string) => path.join(world.home, name);

beforeAll(async () => {
  world = await openGatewayWorld();
  sealer = await createSealer(world.fresh.database, world.config, createLogger('test', 'silent'));
  const subjects = new Subjects(new PgExchange(world.fresh.database), nodeClerk, systemClock);
  const { id } = await subjects.register({ caller: 'test', key: 'one', kind: 'INDIVIDUAL' });
  ref = (await subjects.link(id, { participant: 'bank-a' })).link.ref;
}, 60_000);

afterAll(() => world?.close());

const rated = () => ({ ...recordHead('bank-a', ref, ++n, new Date()), kind: 'rating', rating: rating(800) });
const post = (url: string, type: string, body: string) =>
  world.call(world.client('bank-a'), url, 'post').set('content-type', type).send(body);
const ask = (jti: string, bank = 'bank-a') => world.call(world.client(bank), `/v1/records/${jti}/evidence`).buffer(true);

async function submit(signer = world.signers['bank-a']): Promise<string> {
  const record = rated();
  await post('/v1/records', 'application/jose', signJws('credit-record+jwt', record as JsonObject, signer)).expect(201);
  return record.jti;
}

async function sealedLines(count: number): Promise<string[]> {
  const records = Array.from({ length: count }, rated);
  const lines = records.map((record) => JSON.stringify(record));
  const tree = GrowingTree.restore(nodeCrypto, 0n, []);
  for (const line of lines) await tree.append([await leafHash(nodeCrypto, Buffer.from(line))]);
  const claims = {
    iss: 'bank-a',
    jti: jtiOf(0xabc + n),
    iat: Math.floor(Date.now() / 1_000),
    count,
    root: encodeBase64Url(await tree.root()),
  };
  const manifest = signJws('record-batch+jwt', claims, world.signers['bank-a']);
  await workedOff('/v1/record-batches?profile=sealed', [manifest, ...lines]);
  return records.map(({ jti }) => jti);
}

/** Sends lines and waits until the worker has taken them. */
async function workedOff(url: string, lines: readonly string[]): Promise<void> {
  const sent = await post(url, 'application/x-ndjson', lines.join('\n')).expect(202);
  const { id } = sent.body as { id: string };
  const worker = await createWorker({ ...world.config, WORKER_PORT: 0 }, createLogger('test', 'silent'));
  try {
    await until(async () => {
      const { body } = await world.call(world.client('bank-a'), `/v1/record-batches/${id}`).expect(200);
      return (body as { state: string }).state === 'DONE' ? true : undefined;
    });
  } finally {
    await worker.close();
  }
}

/** The evidence once everything is in the log, as the bytes of the answer. */
async function evidenceOf(jti: string): Promise<string> {
  return await until(async () => {
    await sealer.sealOnce();
    const answer = await ask(jti).expect(200);
    expect(answer.headers['content-type']).toMatch(/^application\/vnd\.tallystick\.record-evidence\+json/);
    const text = answer.text ?? (answer.body as Buffer).toString();
    return (JSON.parse(text) as RecordEvidence).fact.proof === undefined ? undefined : text;
  });
}

async function verified(text: string) {
  const keys = await parseVkeys(nodeCrypto, readFileSync(home('log/vkey'), 'utf8'));
  const trust = { logKeys: keys, receiptKeys: keys.filter(({ name }) => name.endsWith('/receipt')) };
  return await verifyRecordEvidence(Buffer.from(text), trust);
}

/** As an auditor types it, with two files and nothing else. */
async function verifyByCommand(text: string): Promise<{ code: number; output: string }> {
  writeFileSync(home('evidence.json'), text);
  const printed = (['log', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => undefined));
  try {
    const program = new Command('tallystick').exitOverride();
    register(program);
    await program.parseAsync(['verify', home('evidence.json'), '--key', home('log/vkey')], { from: 'user' });
    const output = printed.flatMap(({ mock }) => mock.calls.map(([line]) => String(line))).join('\n');
    return { code: Number(process.exitCode ?? 0), output };
  } finally {
    process.exitCode = 0;
    for (const spy of printed) spy.mockRestore();
  }
}

describe('the evidence of a record', () => {
  it('verifies offline, each step by name', async () => {
    const text = await evidenceOf(await submit());
    expect((await verified(text)).steps.map(({ step, result }) => `${step} ${result}`)).toEqual(
      ['form', 'signature', 'receipt', 'commitment', 'inclusion', 'key', 'certificate', 'revocation'].map((step) => `${step} passed`),
    );
    const told = await verifyByCommand(text);
    expect([told.code, told.output]).toEqual([0, expect.stringMatching(/^form {8}passed[^]*ACTIVE at receipt[^]*\nVERIFIED/)]);
  });

  it('says which facts are not sealed yet, and is not verified before', async () => {
    const jti = await submit();
    const answer = await ask(jti).expect(200);
    const text = answer.text ?? (answer.body as Buffer).toString();
    expect((JSON.parse(text) as RecordEvidence).fact).toEqual({ fact: expect.stringMatching(/^fct_/) as string });
    const report = await verified(text);
    expect(report).toMatchObject({ verified: false });
    expect(report.steps.find(({ result }) => result === 'pending')).toMatchObject({ step: 'commitment', code: 'evidence.pending' });
    expect(await verifyByCommand(text)).toMatchObject({ code: 1, output: expect.stringContaining('evidence.pending') as string });
  });

  it('of a line of a sealed batch holds the manifest and its path', async () => {
    const [, jti] = await sealedLines(5);
    const text = await evidenceOf(jti!);
    const { received, sealed } = (JSON.parse(text) as RecordEvidence).record;
    expect(sealed).toMatchObject({ index: 1 });
    const { body } = await world.call(world.client('bank-a'), `/v1/records/${jti}`).expect(200);
    expect([(body as JsonObject)['payload'], (body as JsonObject)['jws']]).toEqual([received, undefined]);
    const { verified: isVerified, steps } = await verified(text);
    expect([isVerified, steps.find(({ step }) => step === 'sealed')?.detail]).toEqual([true, 'line 1 of the 5 that the manifest signs']);
  });

  it('of a line of a batch names the certificate that the batch came with, which the worker never saw', async () => {
    const record = rated();
    await workedOff('/v1/record-batches', [signJws('credit-record+jwt', record as JsonObject, world.signers['bank-a'])]);
    const { verified: isVerified, steps } = await verified(await evidenceOf(record.jti));
    expect([isVerified, steps.at(-2)?.detail]).toEqual([true, expect.stringMatching(/^certificate [\w-]{43}, valid until /)]);
  });

  it('is among the records of its key, should that one be suspected, also in a sealed batch', async () => {
    const [jti] = await sealedLines(2);
    const key = { kid: 'bank-a-1', since: new Date(0) };
    const { records } = await world.app.get(PgIssuerRecords).suspects('bank-a', key, undefined, 100);
    expect(records.map((record) => record.jti)).toContain(jti);
  });

  it('is its issuer’s alone: anyone else is answered as for an unknown one', async () => {
    const foreign = await ask(await submit(), 'bank-b').expect(404);
    const unknown = await ask(jtiOf(0xffffff), 'bank-b').expect(404);
    expect({ ...(foreign.body as object), instance: '' }).toEqual({ ...(unknown.body as object), instance: '' });
  });

  it('still verifies when its key was retired and then compromised, and its certificate revoked', async () => {
    const signer = createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'bank-a-2' });
    await world.participants.addKey('bank-a', parsePublicJwk({ ...signer.publicJwk }));
    const jti = await submit(signer);
    await world.participants.retireKey('bank-a', 'bank-a-2');
    const retired = await evidenceOf(jti);
    expect(await verified(retired)).toMatchObject({ verified: true });
    await world.participants.markCompromised('bank-a', 'bank-a-2');
    const told = await evidenceOf(jti);
    expect((await verified(told)).steps.find(({ step }) => step === 'key')).toMatchObject({
      result: 'passed',
      detail: expect.stringMatching(/ACTIVE at receipt; later retired at .*; compromised at .*, suspected since/) as string,
    });
    const { serial } = (JSON.parse(told) as RecordEvidence).certificate!;
    const issuer = await world.participants.revokeCertificate('bank-a', serial, 'lost');
    expect((await ask(jti)).status).toBe(401);
    await sealer.sealOnce();
    // As the bank would with its next certificate.
    const book = world.app.get(PgRecordBook);
    const [record, receipts] = [await book.find('bank-a', jti), await book.receiptsOf('bank-a', [jti])];
    const text = JSON.stringify(await world.app.get(GatherEvidence).of(issuer, record!, receipts.get(jti)!));
    const late = await verifyByCommand(text);
    expect([late.code, late.output]).toEqual([
      0,
      expect.stringMatching(/certificate passed: .*, revoked at [^]*revocation {2}passed: not among [^]*VERIFIED/),
    ]);
  });
});
