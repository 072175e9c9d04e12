import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseId } from '#kernel';
import { AllowanceSpender, DecisionClient, type GrantedAllowance, verifyDecisionReceipt } from '#sdk';
import { PgTraceReader } from '../../apps/console/src/adapters/pg-trace-reader.js';
import { Dice } from '../sim/dice.js';
import { type LossyProxy, lossyProxy } from '../sim/lossy-proxy.js';
import { type DecisionWorld, decisionWorld } from '../world/decision-world.js';
import { type InstalledSdk, installSdk } from '../world/installed-sdk.js';

const SCOPES = 'decisions:evaluate decisions:reserve allowances:issue';
const HOLDER = 'checkout-service';
const kills = 4;

let world: DecisionWorld;
let proxy: LossyProxy;
let client: DecisionClient;
let sdk: InstalledSdk;

beforeAll(async () => {
  world = await decisionWorld();
  const { port } = world.app.getHttpServer().address() as { port: number };
  proxy = await lossyProxy(port, new Dice(11));
  const origin = `http://127.0.0.1:${proxy.port}`;
  client = new DecisionClient({ origin, token: () => world.token(SCOPES), deadlineMs: 60_000 });
  sdk = installSdk();
});
afterAll(async () => {
  await client.close();
  await proxy.close();
  await world.close();
  sdk.remove();
});

const yuan = (amount: string) => ({ amount, currency: 'CNY' });
const request = (subject: string, change: object = {}) => ({
  subject,
  service: 'pay-later',
  amount: yuan('30.00'),
  spends: 400,
  seconds: 300,
  ...change,
});

async function grant(subject: string, change: object = {}): Promise<GrantedAllowance> {
  return (await client.issueAllowance(request(subject, change), randomUUID())) as GrantedAllowance;
}

async function spenderOf({ token, allowance }: GrantedAllowance) {
  const file = path.join(sdk.folder, `${allowance.allowanceId}.tally`);
  const options = { token, keys: await client.keys(), issuer: world.config.GATEWAY_ORIGIN, holder: HOLDER, file };
  return { options, spender: await AllowanceSpender.open(options) };
}

async function laterMonth(subject: string): Promise<{ used: bigint; reserved: bigint }> {
  const { shard, uuid } = parseId('sub', subject);
  const [row] = await world.fresh.database.query<{ used: bigint; reserved: bigint }>(
    `SELECT used_minor AS used, reserved_minor AS reserved FROM usage WHERE shard = $1 AND subject = $2 AND counter LIKE 'later-month%'`,
    [shard, uuid],
  );
  return row!;
}

describe('the door', () => {
  it.each<[string, object, number, string]>([
    ['no amount', { amount: undefined }, 400, 'allowance.malformed'],
    ['an amount of zero', { amount: yuan('0.00'), spends: 1 }, 422, 'amount.not_positive'],
    ['an unknown field', { holdSeconds: 5 }, 400, 'allowance.malformed'],
    ['too long', { seconds: 601 }, 422, 'allowance.too_long'],
    ['more parts than minor units', { amount: yuan('0.10') }, 422, 'allowance.too_fine'],
    ['another currency', { amount: { amount: '30.00', currency: 'EUR' } }, 422, 'currency.unsupported'],
    ['an unknown service', { service: 'nowhere' }, 422, 'service.unknown'],
  ])('refuses %s', async (_name, change, status, code) => {
    const body = request(await world.newSubject(), change);
    const answer = await world.http('POST', '/v1/allowances', { body, key: randomUUID(), token: world.token(SCOPES) });
    expect(answer).toMatchObject({ status, body: { code } });
  });

  it('wants its scope and a key, and shows an allowance to its holder alone', async () => {
    const body = request(await world.newSubject());
    const post = (call: object) => world.http('POST', '/v1/allowances', { body, key: randomUUID(), token: world.token(SCOPES), ...call });
    expect(await post({ token: world.token('decisions:reserve') })).toMatchObject({ status: 403, body: { code: 'scope.missing' } });
    expect(await post({ key: undefined })).toMatchObject({
      status: 400,
      body: { code: 'idempotency.key_missing', field: 'Idempotency-Key' },
    });
    const { allowance, decision } = (await post({})).body as unknown as GrantedAllowance;
    const other = world.token(SCOPES, 'wallet-service');
    for (const url of [`/v1/allowances/${allowance.allowanceId}`]) {
      expect(await world.http('GET', url, { token: other })).toMatchObject({ status: 404, body: { code: 'allowance.unknown' } });
      const settle = world.http('POST', `${url}/settlements`, { body: { spends: [], close: true }, token: other });
      expect(await settle).toMatchObject({ status: 404, body: { code: 'allowance.unknown' } });
    }
    expect((await client.allowance(allowance.allowanceId)).state).toBe('OPEN');
    const { value } = await verifyDecisionReceipt(await client.receipt(decision.decisionId!), await client.keys());
    expect(value).toMatchObject({ jti: decision.decisionId, caller: `allowance:${HOLDER}` });
  });

  it('tells a denial as a decision and describes itself', async () => {
    const poor = await world.newSubject(500);
    const denied = await client.issueAllowance(request(poor), randomUUID());
    expect(denied).toMatchObject({ decision: { outcome: 'DENY', reasons: [{ code: 'score.below_minimum' }] } });
    expect(denied.token).toBeUndefined();
    const { body } = await world.http('GET', '/docs-json');
    const paths = body['paths'] as Record<string, { post?: { requestBody?: object } }>;
    expect(paths['/v1/allowances']?.post?.requestBody).toBeDefined();
    expect(paths['/v1/allowances/{id}/settlements']?.post?.requestBody).toBeDefined();
  });
});

describe('over gRPC', () => {
  const issue = (message: object, token?: string) => world.grpc('IssueAllowance', { ...message, idempotencyKey: randomUUID() }, token);

  it('is the same allowance: issued again by its key, found, spent once, closed', async () => {
    const wish = { ...request(await world.newSubject()), idempotencyKey: randomUUID() };
    const granted = (await world.grpc('IssueAllowance', wish)) as unknown as GrantedAllowance;
    const again = await world.grpc('IssueAllowance', wish);
    expect(again).toMatchObject({ token: granted.token, decision: { decisionId: granted.decision.decisionId, idempotencyHit: true } });
    const { allowanceId } = granted.allowance;
    expect(await world.grpc('GetAllowance', { allowanceId })).toEqual(await client.allowance(allowanceId));
    const spends = [{ paymentReference: `GRPC-${allowanceId.slice(-8)}`, amount: yuan('4.00'), at: new Date().toISOString() }];
    const settled = await world.grpc('SettleAllowance', { allowanceId, spends });
    expect(settled).toMatchObject({ state: 'OPEN', spends: 1, spent: yuan('4.00'), results: [{ result: 'SETTLED' }] });
    expect(await world.grpc('SettleAllowance', { allowanceId, spends })).toEqual(settled);
    expect(await world.grpc('SettleAllowance', { allowanceId, close: true })).toMatchObject({ state: 'CLOSED', spends: 1 });
  });

  it('refuses with the codes of HTTP, and shows it to its holder alone', async () => {
    const wish = request(await world.newSubject());
    await expect(world.grpc('IssueAllowance', wish)).rejects.toMatchObject({ code: 3, problem: 'idempotency.key_missing' });
    await expect(issue({ ...wish, seconds: 601 })).rejects.toMatchObject({ code: 3, problem: 'allowance.too_long' });
    const denied = await issue(request(await world.newSubject(500)));
    expect(denied).toMatchObject({ decision: { outcome: 'DENY' } });
    expect(denied['token']).toBeUndefined();
    const { allowanceId } = ((await issue(wish)) as unknown as GrantedAllowance).allowance;
    for (const method of ['GetAllowance', 'SettleAllowance']) {
      const other = world.grpc(method, { allowanceId }, world.token(SCOPES, 'wallet-service'));
      await expect(other, method).rejects.toMatchObject({ code: 5, problem: 'allowance.unknown' });
    }
  });
});

it('is issued and settled once, however many answers are lost', async () => {
  const subject = await world.newSubject();
  proxy.lossRate = 0.4;
  const granted = await grant(subject);
  const { spender } = await spenderOf(granted);
  const names = Array.from({ length: 12 }, (_, n) => `LOSS-${n}-${subject.slice(-8)}`);
  for (const name of names) expect((await spender.spend(yuan('0.50'), name)).outcome).toBe('ALLOW');
  const [all, none] = await Promise.all([spender.settle(client), spender.settle(client, { close: true })]);
  proxy.lossRate = 0;
  expect([...all, ...none].map(({ result }) => result)).toEqual(names.map(() => 'SETTLED'));
  expect(await laterMonth(subject)).toEqual({ used: 600n, reserved: 0n });
  expect(await client.allowance(spender.allowanceId)).toMatchObject({ state: 'CLOSED', spent: yuan('6.00'), spends: 12 });
  const trace = new PgTraceReader(world.fresh.database);
  const decision = parseId('dec', granted.decision.decisionId!);
  expect(await trace.decisionsByReference(names[0]!)).toEqual([decision]);
  expect(await trace.reservations(decision.shard, [decision.uuid])).toHaveLength(13);
  await spender.close();
});

const SCRIPT = `import { AllowanceSpender } from '@tallystick/sdk';
const spender = await AllowanceSpender.open(JSON.parse(process.env.SPENDER));
for (let n = 0; ; n++) {
  const reference = process.pid + '-' + n;
  const { outcome } = await spender.spend({ amount: '0.11', currency: 'CNY' }, reference);
  if (outcome !== 'ALLOW') break;
  console.log(reference);
}
`;

/** Two spenders on one file; each hears kill -9 after so many of its yeses. @returns every reference that was said yes to */
async function spendAndDie(options: object, after: readonly number[]): Promise<string[]> {
  const said = await Promise.all(
    after.map(async (count) => {
      const env = { PATH: process.env['PATH'], SPENDER: JSON.stringify(options) };
      const child = spawn(process.execPath, ['spend.mjs'], { cwd: sdk.folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
      const lines: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line);
        if (lines.length === count) child.kill('SIGKILL');
      }
      return lines;
    }),
  );
  return said.flat();
}

it('loses no yes and spends no more than it has when its spenders are killed', async () => {
  const subject = await world.newSubject();
  const { options, spender: first } = await spenderOf(await grant(subject));
  await first.close();
  writeFileSync(path.join(sdk.folder, 'spend.mjs'), SCRIPT);
  const dice = new Dice(3);
  const said: string[] = [];
  for (let round = 0; round < kills; round++) said.push(...(await spendAndDie(options, [dice.int(1, 25), dice.int(1, 25)])));
  expect(said.length).toBeGreaterThan(kills);

  const spender = await AllowanceSpender.open(options);
  const kept = spender.spends().map(({ reference }) => reference);
  expect(kept).toEqual(expect.arrayContaining(said));
  expect(kept.length).toBeLessThanOrEqual(Math.floor(3_000 / 11));
  const results = await spender.settle(client, { close: true });
  expect(results.every(({ result }) => result === 'SETTLED')).toBe(true);
  expect(await laterMonth(subject)).toEqual({ used: BigInt(kept.length * 11), reserved: 0n });
  await spender.close();
});
