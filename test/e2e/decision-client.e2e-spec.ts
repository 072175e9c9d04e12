import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseId } from '#kernel';
import { DecisionClient, NoAnswerError, OpenPosture, ProblemError, verifyDecisionReceipt } from '#sdk';
import { Dice } from '../sim/dice.js';
import { type LossyProxy, lossyProxy } from '../sim/lossy-proxy.js';
import { type DecisionWorld, decisionWorld } from '../world/decision-world.js';
import { type InstalledSdk, installSdk } from '../world/installed-sdk.js';

const SCOPES = 'decisions:evaluate decisions:reserve decisions:simulate allowances:issue standing:read';

let world: DecisionWorld;
let proxy: LossyProxy;
let client: DecisionClient;
let sdk: InstalledSdk;
let folder: string;
const opened: DecisionClient[] = [];

beforeAll(async () => {
  world = await decisionWorld();
  proxy = await lossyProxy(port(), new Dice(7));
  client = clientAt(port());
  sdk = installSdk();
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-client-'));
});
afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()));
  await proxy.close();
  await world.close();
  sdk.remove();
  rmSync(folder, { recursive: true, force: true });
});

const port = () => (world.app.getHttpServer().address() as { port: number }).port;
const yuan = (amount: string) => ({ amount, currency: 'CNY' });
const askOf = (subject: string, amount = '10.00') => ({ subject, service: 'checkout', amount: yuan(amount) });

function clientAt(at: number, options: object = {}): DecisionClient {
  const made = new DecisionClient({ origin: `http://127.0.0.1:${at}`, token: () => world.token(SCOPES), ...options });
  opened.push(made);
  return made;
}

async function checkoutDay(subject: string): Promise<{ used: bigint; reserved: bigint; taken: bigint }> {
  const { shard, uuid } = parseId('sub', subject);
  const [row] = await world.fresh.database.query<{ used: bigint; reserved: bigint; taken: bigint }>(
    `SELECT used_minor AS used, reserved_minor AS reserved, used_count + reserved_count AS taken
       FROM usage WHERE shard = $1 AND subject = $2 AND counter LIKE 'checkout-day%'`,
    [shard, uuid],
  );
  return row!;
}

describe('the package', () => {
  it('holds its modules, the licence, the README and nothing else: no test, no map, no folder of whoever packed it', () => {
    const root = path.join(sdk.folder, 'node_modules/@tallystick/sdk');
    const files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
    const modules = files.filter((file) => /^dist\/(kernel|contract|evidence|sdk)\/src\/[a-z0-9/-]+\.js$/.test(file));
    expect(files.filter((file) => !modules.includes(file)).sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
    expect(modules).toContain('dist/sdk/src/index.js');
    for (const file of files) expect(readFileSync(path.join(root, file), 'utf8')).not.toContain(process.cwd());
  });
});

describe('the decision client', () => {
  it('asks, holds, confirms, refunds, releases, looks up and keeps the receipt', async () => {
    const subject = await world.newSubject();
    expect((await client.evaluate(askOf(subject))).outcome).toBe('ALLOW');
    const key = randomUUID();
    expect(await client.findByKey(subject, key)).toBeUndefined();
    const { answer, repeated } = await client.reserve(askOf(subject), key);
    expect(repeated).toBe(false);
    expect(await client.reserve(askOf(subject), key)).toEqual({ answer, repeated: true });
    expect(await client.findByKey(subject, key)).toEqual(answer);
    expect(await client.find(answer.decisionId!)).toEqual(answer);
    const { id } = answer.reservation!;
    expect(await client.confirm(id, yuan('6.00'))).toMatchObject({ state: 'CONFIRMED', confirmed: yuan('6.00') });
    expect(await client.refund(id, 'refund-0001', yuan('1.00'))).toMatchObject({ refunded: yuan('1.00') });
    expect(await client.reservation(id)).toMatchObject({ refunded: yuan('1.00') });
    const other = await client.reserve(askOf(subject), randomUUID());
    expect(await client.release(other.answer.reservation!.id)).toMatchObject({ state: 'RELEASED' });
    expect((await client.headroom(subject)).services.map(({ service }) => service)).toContain('checkout');
    const { value } = await verifyDecisionReceipt(await client.receipt(answer.decisionId!), await client.keys());
    expect(value).toMatchObject({ jti: answer.decisionId, outcome: 'ALLOW' });
    const batch = await client.batch([
      { ...askOf(subject), mode: 'RESERVE', key: randomUUID() },
      { ...askOf(subject), mode: 'EVALUATE', service: 'nowhere' },
    ]);
    expect(batch).toMatchObject([{ answer: { outcome: 'ALLOW' } }, { problem: { code: 'service.unknown' } }]);
    const { subject: _subject, ...item } = askOf(subject);
    expect(await client.reserveLinked({ subject, items: [item, item] }, randomUUID())).toMatchObject({ outcome: 'RESERVED' });
    const poor = await client.simulate({ ...askOf(subject), suppose: { score: 400 } });
    expect(poor).toMatchObject({ answer: { tier: 'LIMITED' } });
  });

  it('throws refusals with their code', async () => {
    const error = await client.evaluate({ ...askOf('sub_0'), subject: 'nobody' }).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ status: 400, code: 'id.malformed', instance: expect.stringMatching(/^urn:uuid:/) });
  });

  it('has one effect per key, however many answers are lost', async () => {
    const subject = await world.newSubject();
    proxy.lossRate = 0.4;
    const lossy = clientAt(proxy.port, { deadlineMs: 60_000, connections: 4 });
    const answers = await Promise.all(Array.from({ length: 16 }, () => lossy.reserve(askOf(subject), randomUUID())));
    const ids = answers.map(({ answer }) => answer.reservation!.id);
    await Promise.all(ids.slice(0, 8).map((id) => lossy.confirm(id)));
    await Promise.all(ids.slice(0, 4).map((id) => lossy.refund(id, `refund-of-${id.slice(-8)}`, yuan('4.00'))));
    await Promise.all(ids.slice(8, 12).map((id) => lossy.release(id)));
    proxy.lossRate = 0;
    expect(proxy.lost()).toBeGreaterThan(5);
    expect(answers.some(({ repeated }) => repeated)).toBe(true);
    expect(await checkoutDay(subject)).toEqual({ used: 6_400n, reserved: 4_000n, taken: 12n });
  });

  it('looks its key up when every answer to the call itself is lost', async () => {
    const subject = await world.newSubject();
    const deaf = await lossyProxy(port(), new Dice(1));
    deaf.loseReplyTo('POST /v1/decisions');
    const impatient = clientAt(deaf.port, { deadlineMs: 300 });
    const { answer, repeated } = await impatient.reserve(askOf(subject), randomUUID());
    expect({ outcome: answer.outcome, repeated }).toEqual({ outcome: 'ALLOW', repeated: true });
    expect(await checkoutDay(subject)).toMatchObject({ reserved: 1_000n, taken: 1n });
    await deaf.close();
  });

  it('fails closed; with the open posture it says yes within bounds, and tells what it said when the service is back', async () => {
    const subject = await world.newSubject();
    const gone = await lossyProxy(1, new Dice(1));
    const closed = clientAt(gone.port, { deadlineMs: 150 });
    await expect(closed.reserve(askOf(subject), randomUUID())).rejects.toBeInstanceOf(NoAnswerError);

    const file = path.join(folder, 'open-answers');
    const services = { checkout: { amount: yuan('25.00'), count: 3, seconds: 60 } };
    const posture = await OpenPosture.open(closed, { file, services });
    const [first, second] = [randomUUID(), randomUUID()];
    expect(await posture.reserve(askOf(subject), first)).toMatchObject({ open: true, outcome: 'ALLOW', key: first });
    expect(await posture.reserve(askOf(subject), second)).toMatchObject({ open: true });
    expect(await posture.reserve(askOf(subject), first)).toMatchObject({ open: true });
    await expect(posture.reserve(askOf(subject, '5.01'), randomUUID())).rejects.toBeInstanceOf(NoAnswerError);
    await expect(posture.reserve({ ...askOf(subject), service: 'pay-later' }, randomUUID())).rejects.toBeInstanceOf(NoAnswerError);
    await posture.close();
    await gone.close();

    const back = await OpenPosture.open(client, { file, services });
    expect(back.pending()).toHaveLength(2);
    const told: string[] = [];
    const report = () =>
      back.report(async (said, result) => {
        if ('answer' in result) await client.confirm(result.answer.reservation!.id);
        told.push(said.key);
      });
    expect(await report()).toBe(2);
    expect(await report()).toBe(0);
    expect(told).toEqual([first, second]);
    expect(await checkoutDay(subject)).toEqual({ used: 2_000n, reserved: 0n, taken: 2n });
    const { shard, uuid } = parseId('sub', subject);
    const facts = await world.fresh.database.query<{ kind: string }>(
      `SELECT kind FROM facts WHERE shard = $1 AND subject = $2 AND kind = 'decision.answered_open'`,
      [shard, uuid],
    );
    expect(facts).toHaveLength(2);
    await back.close();
  });
});

describe('as it is published', () => {
  const settings = async () => ({
    TALLY_DECISIONS: `http://127.0.0.1:${port()}`,
    TALLY_TOKEN: world.token(SCOPES),
    TALLY_SUBJECT: await world.newSubject(),
    TALLY_CALLER: 'checkout-service',
    TALLY_ISSUER: world.config.GATEWAY_ORIGIN,
  });

  it('makes the first decision of the README', async () => {
    expect(await sdk.run('first-decision.mjs', await settings())).toEqual([
      'ALLOW score.sufficient 0.40',
      'CONFIRMED 20.00',
      'receipt of this decision',
      'service.unknown',
    ]);
    expect(readFileSync('libs/sdk/README.md', 'utf8')).toContain(readFileSync('libs/sdk/examples/first-decision.mjs', 'utf8'));
  });

  it('spends through an outage', async () => {
    expect(await sdk.run('spend-through-an-outage.mjs', await settings())).toEqual([
      'ALLOW 100.00 in 5 parts',
      '60.00 ALLOW 40.00 left',
      '60.00 DENY allowance.exceeded',
      '40.00 ALLOW 0.00 left',
      'SETTLED',
      'SETTLED',
      'CLOSED 100.00',
    ]);
  });
});
