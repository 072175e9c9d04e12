import 'reflect-metadata';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { register as registerReplay } from '../../apps/cli/src/commands/replay.js';
import { register as registerVerify } from '../../apps/cli/src/commands/verify.js';
import { createSealer } from '#audit/adapters/audit-wiring';
import type { Sealer } from '#audit';
import { createLogger, createSigner } from '#platform';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';

const POLICY = 'prisma/seed/policy.json';

let world: DecisionWorld;
let sealer: Sealer;
const file = (name: string) => path.join(world.config.TALLYSTICK_HOME, name);

beforeAll(async () => {
  world = await decisionWorld({}, JSON.parse(readFileSync(POLICY, 'utf8')));
  for (const name of ['log', 'export'] as const) createSigner(world.config, name);
  sealer = await createSealer(world.fresh.database, world.config, createLogger('test', 'silent'));
});
afterAll(() => world?.close());

async function decide(): Promise<string> {
  const { body } = await world.http('POST', '/v1/decisions', { body: reserveBody(await world.newSubject()), key: newKey() });
  return body['decisionId'] as string;
}

const receiptOf = async (id: string) => (await world.http('GET', `/v1/decisions/${id}/receipt`)).body as Record<string, string>;

/** A command as an auditor types it, with files only. */
async function run(command: string, content: string, ...args: string[]): Promise<{ code: number; output: string }> {
  writeFileSync(file('answer'), content);
  const program = new Command('tallystick').exitOverride();
  registerReplay(program);
  registerVerify(program);
  const printed = (['log', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => undefined));
  try {
    await program.parseAsync([command, file('answer'), ...args], { from: 'user' });
    const output = printed.flatMap(({ mock }) => mock.calls.map(([line]) => String(line))).join('\n');
    return { code: Number(process.exitCode ?? 0), output };
  } finally {
    process.exitCode = 0;
    for (const spy of printed) spy.mockRestore();
  }
}

const verify = (content: string) => run('verify', content, '--key', file('log/vkey'));
const replay = (content: string) =>
  run('replay', content, '--policy', POLICY, '--key', file('keys/receipt.jwks.json'), '--log-key', file('log/vkey'));

describe('a decision in the log', () => {
  it('has a receipt at once, and its place and proof when it is sealed', async () => {
    const id = await decide();
    const early = await receiptOf(id);
    expect(Object.keys(early)).toEqual(['receipt', 'fact']);
    expect(await world.http('GET', `/v1/decisions/${id}/proof`)).toMatchObject({ status: 404, body: { code: 'proof.pending' } });
    expect(await verify(JSON.stringify(early))).toMatchObject({ code: 0, output: expect.stringContaining('no inclusion proof here yet') });
    await sealer.sealOnce();
    const answer = await receiptOf(id);
    expect(answer).toEqual({
      ...early,
      logIndex: expect.stringMatching(/^\d+$/),
      proof: expect.stringMatching(/^c2sp.org\/tlog-proof@v1\n/),
    });
    expect(await world.grpc('GetReceipt', { decisionId: id })).toEqual(answer);
    const proof = await world.http('GET', `/v1/decisions/${id}/proof`);
    expect([proof.headers.get('content-type'), proof.body['text']]).toEqual(['text/plain; charset=utf-8', answer['proof']]);
    expect(await verify(answer['proof']!)).toMatchObject({ code: 0, output: expect.stringContaining('decision.made') });
    expect(await verify(JSON.stringify(answer))).toMatchObject({
      code: 0,
      output: expect.stringMatching(/VERIFIED {4}the decision stands in the log/),
    });
    const again = await replay(JSON.stringify(answer));
    expect(again.output).toMatch(/with the commitment of this receipt[^]*SAME ANSWER$/);
    expect(again.code).toBe(0);
  });

  it('is not believed with another’s proof, or with a proof that was changed', async () => {
    const [mine, other] = [await decide(), await decide()];
    await sealer.sealOnce();
    const [answer, foreign] = [await receiptOf(mine), await receiptOf(other)];
    const swapped = JSON.stringify({ ...answer, proof: foreign['proof'] });
    for (const command of [verify, replay])
      expect(await command(swapped)).toMatchObject({ code: 1, output: expect.stringContaining('receipt.other_fact') });
    const misplaced = JSON.stringify({ ...answer, logIndex: `${Number(answer['logIndex']) + 1}` });
    for (const command of [verify, replay])
      expect(await command(misplaced)).toMatchObject({ code: 1, output: expect.stringContaining('receipt.other_index') });
    const [, extra] = /^extra (.*)$/m.exec(answer['proof']!)!;
    const changed = Buffer.from(Buffer.from(extra!, 'base64').toString().replace('"ALLOW"', '"DENIED"')).toString('base64');
    const forged = JSON.stringify({ ...answer, proof: answer['proof']!.replace(extra!, changed) });
    for (const command of [verify, replay]) expect((await command(forged)).code).toBe(1);
  });

  it('is for the caller of the decision only', async () => {
    const id = await decide();
    await sealer.sealOnce();
    const token = world.token(undefined, 'another-service');
    for (const what of ['receipt', 'proof'])
      expect(await world.http('GET', `/v1/decisions/${id}/${what}`, { token })).toMatchObject({
        status: 404,
        body: { code: 'decision.unknown' },
      });
    await expect(world.grpc('GetReceipt', { decisionId: id }, token)).rejects.toMatchObject({ problem: 'decision.unknown' });
  });
});
