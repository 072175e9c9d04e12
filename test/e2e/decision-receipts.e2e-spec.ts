import 'reflect-metadata';
import { hash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Command } from 'commander';
import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet } from 'jose';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { register } from '../../apps/cli/src/commands/replay.js';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';
import { addSubjects } from '#decisions/testing/subjects';
import { PgDecisionFacts } from '#decisions/adapters/pg-decision-facts';
import { parseReceiptClaims, type ReceiptClaims, replayReceipt } from '#decisions';
import { type JsonObject, type Signer, signJws } from '#evidence';
import { formatId, parseId, type ShardedId } from '#kernel';
import { announceNextSigner, type Config, createLogger, createSigner, freePort, parseConfig, switchToNextSigner } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { PgPolicies } from '#policies/adapters/pg-policies';

const POLICY = 'prisma/seed/policy.json';

let fresh: FreshDatabase;
let app: NestFastifyApplication;
let home: string;
let issuer: Signer;
let config: Config;
let bearer: string;
let grpcPort: number;

const http = () => request(app.getHttpServer());
const get = (url: string, token = bearer) => http().get(url).set('authorization', `Bearer ${token}`);
const file = (name: string) => path.join(home, name);

function tokenOf(service: string): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: 'test-issuer', sub: service, aud: 'tallystick-decision-api', iat, exp: iat + 600 };
  return signJws('JWT', { ...claims, scope: 'decisions:evaluate decisions:reserve' }, issuer);
}

beforeAll(async () => {
  fresh = await freshDatabase();
  const policy: unknown = JSON.parse(readFileSync(POLICY, 'utf8'));
  await new PgPolicies(fresh.database).activate(policy, { author: 'ann', approver: 'ben' }, new Date());
  home = mkdtempSync(path.join(tmpdir(), 'tallystick-receipts-'));
  mkdirSync(file('keys'));
  const settings = { DATABASE_URL: fresh.url, TALLYSTICK_HOME: home, INTERNAL_TOKEN_ISSUER: 'test-issuer', TALLYSTICK_ENV: 'test' };
  grpcPort = await freePort();
  config = parseConfig({ ...settings, DECISION_GRPC_PORT: String(grpcPort) });
  issuer = createSigner(config, 'internal-issuer');
  app = await createDecisionApi(config, createLogger('test', 'silent'));
  await app.listen(0, '127.0.0.1');
  bearer = tokenOf('checkout-service');
});
afterAll(async () => {
  await app.close();
  await fresh.close();
  rmSync(home, { recursive: true, force: true });
});

async function newSubject(score: number, restriction?: { step: string; percent?: number }): Promise<ShardedId> {
  const subject = (await addSubjects(fresh.database, 1, score))[0]!;
  if (restriction) {
    await fresh.database.query(
      `INSERT INTO restrictions (shard, subject, id, step, services, limit_percent, reason_code, reason_text, cause_iss, cause_jti, starts_at,
         evidence_digest, evidence_reference, ladder, told)
       VALUES ($1, $2, $3, $4, '{}', $5, 'FRAUD', 'a violation: proven', 'bank-a', $3, now() - interval '1 hour', '', '', 'built-in', '{}')`,
      [subject.shard, subject.uuid, randomUUID(), restriction.step, restriction.percent ?? null],
    );
  }
  return subject;
}

async function decide(subject: ShardedId, service: string, amount: string, more: object = {}) {
  const body = { subject: formatId('sub', subject), service, amount: { amount, currency: 'CNY' }, mode: 'RESERVE', ...more };
  const call = http().post('/v1/decisions').set('authorization', `Bearer ${bearer}`).set('idempotency-key', randomUUID());
  return (await call.send(body).expect(200)).body as {
    decisionId: string;
    outcome: string;
    computedOutcome: string;
    reasons: { code: string }[];
  };
}

async function receiptOf(decisionId: string): Promise<string> {
  return ((await get(`/v1/decisions/${decisionId}/receipt`).expect(200)).body as { receipt: string }).receipt;
}

function receiptOverGrpc(decisionId: string): Promise<string | undefined> {
  const loaded = grpc.loadPackageDefinition(loadSync('apps/decision-api/proto/decision.proto'));
  const Service = (loaded as never)['tallystick']['decision']['v1']['DecisionService'] as grpc.ServiceClientConstructor;
  const client = new Service(`127.0.0.1:${grpcPort}`, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${bearer}`);
  return new Promise<string | undefined>((resolve, reject) => {
    client['getReceipt']!({ decisionId }, metadata, (error: Error | null, answer?: { receipt: string }) =>
      error ? reject(error) : resolve(answer?.receipt),
    );
  }).finally(() => client.close());
}

/** The command as an auditor types it, with files only. */
async function replay(receipt: string, policy = POLICY, key = file('keys/receipt.jwks.json')): Promise<{ code: number; output: string }> {
  writeFileSync(file('receipt.jwt'), `${receipt}\n`);
  const program = new Command('tallystick').exitOverride();
  register(program);
  const printed = (['log', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => undefined));
  try {
    await program.parseAsync(['replay', file('receipt.jwt'), '--policy', policy, '--key', key], { from: 'user' });
    const output = printed.flatMap(({ mock }) => mock.calls.map(([line]) => String(line))).join('\n');
    return { code: Number(process.exitCode ?? 0), output };
  } finally {
    process.exitCode = 0;
    for (const spy of printed) spy.mockRestore();
  }
}

describe('a decision receipt', () => {
  it.each<
    [
      name: string,
      prepare: () => Promise<{ decisionId: string; outcome: string; reasons: { code: string }[] }>,
      outcome: string,
      code: string,
    ]
  >([
    [
      'ALLOW',
      async () =>
        decide(await newSubject(720), 'checkout', '100.00', { paymentReference: 'RCP-1', channel: 'bank-a', counterparty: 'shop' }),
      'ALLOW',
      'score.sufficient',
    ],
    ['DENY by limit', async () => denyByLimit(await newSubject(500)), 'DENY', 'limit.exceeded'],
    [
      'DENY by one transaction’s limit',
      async () => decide(await newSubject(500), 'checkout', '200.01'),
      'DENY',
      'limit.transaction_exceeded',
    ],
    ['DENY by score', async () => decide(await newSubject(649), 'pay-later', '1.00'), 'DENY', 'score.below_minimum'],
    ['REVIEW', async () => decide(await newSubject(720), 'pay-later', '8000.01', { holdSeconds: 60 }), 'REVIEW', 'amount.review'],
    ['closure', async () => decide(await newSubject(720, { step: 'CLOSURE' }), 'checkout', '1.00'), 'DENY', 'restriction.closure'],
    [
      'a cut',
      async () => decide(await newSubject(720, { step: 'LIMIT_CUT', percent: 10 }), 'checkout', '2000.00'),
      'ALLOW',
      'restriction.limit_cut',
    ],
    ['advice', async () => decide(await newSubject(720), 'marketplace', '50000.01'), 'ALLOW', 'limit.transaction_exceeded'],
    [
      'an adverse EVALUATE',
      async () => decide(await newSubject(500), 'checkout', '900.00', { mode: 'EVALUATE', holdSeconds: 77 }),
      'DENY',
      'limit.exceeded',
    ],
  ])('replays to the same answer: %s', async (_name, prepare, outcome, code) => {
    const decided = await prepare();
    expect([decided.outcome, decided.reasons.map((reason) => reason.code)]).toEqual([outcome, expect.arrayContaining([code])]);
    const { code: exit, output } = await replay(await receiptOf(decided.decisionId));
    expect(output).toMatch(/SAME ANSWER$/);
    expect(exit).toBe(0);
  });

  async function denyByLimit(subject: ShardedId) {
    for (const amount of ['200.00', '200.00', '100.00'])
      expect(await decide(subject, 'checkout', amount)).toMatchObject({ outcome: 'ALLOW' });
    return await decide(subject, 'checkout', '0.01');
  }

  it('is one text for one decision, verifies with the published key, and commits to what the log’s fact commits to', async () => {
    const { decisionId } = await decide(await newSubject(720), 'checkout', '10.00');
    const receipt = await receiptOf(decisionId);
    expect(await receiptOf(decisionId)).toBe(receipt);
    const jwks = (await http().get('/.well-known/jwks.json').expect(200)).body as Parameters<typeof createLocalJWKSet>[0];
    const { protectedHeader } = await compactVerify(receipt, createLocalJWKSet(jwks));
    expect(await receiptOverGrpc(decisionId)).toBe(receipt);
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'decision-receipt+jwt' });
    const { fact, commitment } = decodeJwt<ReceiptClaims>(receipt);
    const { shard } = parseId('dec', decisionId);
    const upToSeq = BigInt(fact.slice('fct_0'.length));
    const [facts] = await new PgDecisionFacts(fresh.database).read([{ shard, afterSeq: upToSeq - 1n, upToSeq }]);
    expect(facts![0]!.body).toMatchObject({ decision: parseId('dec', decisionId).uuid, commitment });
  });

  it('names where a changed policy, and a changed receipt under another key, part from it', async () => {
    const receipt = await receiptOf((await decide(await newSubject(720), 'checkout', '10.00')).decisionId);
    writeFileSync(
      file('changed.json'),
      readFileSync(POLICY, 'utf8').replace('"EXCELLENT", "minimumScore": 700', '"EXCELLENT", "minimumScore": 730'),
    );
    const changed = await replay(receipt, file('changed.json'));
    expect(changed.output).toMatch(/differs {5}\/evaluation\/policy\/hash/);
    expect(changed.output).toMatch(/differs {5}\/evaluation\/tier: the receipt says "EXCELLENT", the replay "TRUSTED"/);
    expect(changed.output).toMatch(/NOT THE SAME ANSWER \(\d+ differences\)$/);
    expect(changed.code).toBe(1);
    const [header, payload, signature] = receipt.split('.') as [string, string, string];
    const forged = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"outcome":"ALLOW"', '"outcome":"DENY"')).toString(
      'base64url',
    );
    expect(await replay(`${header}.${forged}.${signature}`)).toEqual({
      code: 1,
      output: expect.stringMatching(/^NOT REPLAYED \(signature\.invalid\)/) as string,
    });
    expect(await replay(receipt, POLICY, file('keys/internal-issuer.jwks.json'))).toMatchObject({
      code: 1,
      output: expect.stringMatching(/signature\.key_unknown[^]*holds no key/) as string,
    });
    expect(await replay(receipt, POLICY, file('nowhere'))).toMatchObject({
      code: 1,
      output: expect.stringContaining('key.untrusted') as string,
    });
  });

  it('replays whatever many callers at once were answered over the same counters', async () => {
    const scores = [480, 560, 640, 690, 720];
    const subjects = await Promise.all(scores.map((score, i) => newSubject(score, i % 2 ? { step: 'LIMIT_CUT', percent: 30 } : undefined)));
    const asks = Array.from({ length: 150 }, (_, i) => {
      const service = ['checkout', 'pay-later', 'marketplace'][i % 3]!;
      return decide(subjects[i % subjects.length]!, service, `${(i * 7_919) % 3_000}.${10 + (i % 90)}`);
    });
    const decided = await Promise.all(asks);
    const policy: unknown = JSON.parse(readFileSync(POLICY, 'utf8'));
    for (const { decisionId } of decided) {
      const claims = parseReceiptClaims(decodeJwt<JsonObject>(await receiptOf(decisionId)));
      expect(replayReceipt(claims, policy, (bytes) => hash('sha256', bytes, 'buffer'))).toEqual([]);
    }
    const codes = new Set(decided.flatMap(({ reasons }) => reasons.map(({ code }) => code)));
    expect([...codes]).toEqual(
      expect.arrayContaining(['score.sufficient', 'limit.exceeded', 'score.below_minimum', 'restriction.limit_cut']),
    );
  });

  it('is for the caller of the decision only, and documented', async () => {
    const { decisionId } = await decide(await newSubject(720), 'checkout', '10.00');
    const url = `/v1/decisions/${decisionId}/receipt`;
    expect((await get(url, tokenOf('another-service')).expect(404)).body).toMatchObject({ code: 'decision.unknown' });
    const nobody = formatId('dec', { shard: 0, uuid: '01890000-0000-7000-8000-000000000001' });
    expect((await get(`/v1/decisions/${nobody}/receipt`).expect(404)).body).toMatchObject({ code: 'decision.unknown' });
    expect((await get('/v1/decisions/dec_x/receipt').expect(400)).body).toMatchObject({ code: 'id.malformed' });
    expect((await http().get(url).expect(401)).body).toMatchObject({ code: 'token.missing' });
    const { paths } = (await http().get('/docs-json').expect(200)).body as { paths: object };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/decisions/{id}/receipt', '/.well-known/jwks.json']));
  });

  it('goes on to verify when its key is replaced, and new ones are signed by the new key, in a process that runs on', async () => {
    const before = await receiptOf((await decide(await newSubject(720), 'checkout', '10.00')).decisionId);
    const { kid } = announceNextSigner(config, 'receipt');
    switchToNextSigner(config, 'receipt');
    const { decisionId } = await decide(await newSubject(720), 'checkout', '10.00');
    await vi.waitFor(async () => expect(decodeProtectedHeader(await receiptOf(decisionId)).kid).toBe(kid), 10_000);
    const published = createLocalJWKSet((await http().get('/.well-known/jwks.json').expect(200)).body as JSONWebKeySet);
    for (const receipt of [before, await receiptOf(decisionId)]) {
      await compactVerify(receipt, published);
      expect(await replay(receipt)).toMatchObject({ code: 0, output: expect.stringContaining('SAME ANSWER') as string });
    }
  });
});
