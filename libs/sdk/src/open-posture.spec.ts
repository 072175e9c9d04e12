import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { OpenAnswerResult, WireOpenAnswer } from '#contract';
import { NoAnswerError } from './no-answer-error.js';
import { OpenPosture } from './open-posture.js';
import { ProblemError } from './problem-error.js';

const yuan = (amount: string) => ({ amount, currency: 'CNY' });
const ask = (amount: string) => ({ subject: 'sub_1', service: 'checkout', amount: yuan(amount) });
const services = { checkout: { amount: yuan('100.00'), count: 3, seconds: 60 } };

let folder: string;
let nowMs: number;
let failure: Error;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-open-'));
  nowMs = Date.UTC(2026, 10, 22);
  failure = new NoAnswerError(3, new Error('gone'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const client = {
  reserve: () => Promise.reject(failure),
  reportOpenAnswers: (said: readonly WireOpenAnswer[]): Promise<OpenAnswerResult[]> =>
    Promise.resolve(said.map(({ key }) => ({ key, problem: { code: 'outcome.unknown', detail: '', status: 503 } }))),
};

const open = () => OpenPosture.open(client, { services, file: path.join(folder, 'open'), nowMs: () => nowMs });

it.each<[name: string, amount: string, change: () => void]>([
  ['amount', '50.01', () => undefined],
  ['time', '1.00', () => (nowMs += 60_000)],
  ['a clock set back', '1.00', () => (nowMs -= 1)],
  ['a refusal', '1.00', () => (failure = new ProblemError(403, { code: 'scope.missing' }))],
])('%s ends it, also after a crash', async (_name, amount, change) => {
  const first = await open();
  expect(await first.reserve(ask('50.00'), 'key-00000001')).toMatchObject({ open: true });
  await first.close();
  const again = await open();
  change();
  await expect(again.reserve(ask(amount), 'key-00000002')).rejects.toBe(failure);
  expect(again.pending()).toHaveLength(1);
  await again.close();
});

it('bounds the count, and gives a key the same answer for the same ask only', async () => {
  const posture = await open();
  for (const n of [1, 2, 3]) await posture.reserve(ask('1.00'), `key-0000000${n}`);
  expect(await posture.reserve(ask('1.00'), 'key-00000003')).toMatchObject({ open: true });
  await expect(posture.reserve(ask('2.00'), 'key-00000003')).rejects.toBe(failure);
  await expect(posture.reserve(ask('1.00'), 'key-00000004')).rejects.toBe(failure);
  await posture.close();
});

it('keeps what was told and not heard', async () => {
  const posture = await open();
  await posture.reserve(ask('1.00'), 'key-00000001');
  expect(await posture.report(() => Promise.reject(new Error('never called')))).toBe(0);
  expect(posture.pending()).toHaveLength(1);
  await posture.close();
});
