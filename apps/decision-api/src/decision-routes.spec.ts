import { pino } from 'pino';
import fastify from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DecisionAnswer } from '#contract';
import type { TokenVerifier } from './auth/token-verifier.js';
import type { DecisionDoor } from './decision-door.js';
import { registerDecisionRoutes } from './decision-routes.js';

const ANSWER: DecisionAnswer = {
  outcome: 'DENY',
  computedOutcome: 'DENY',
  tier: 'BASIC',
  score: { value: 500, version: 'v1' },
  limits: [],
  restrictions: [],
  policy: { id: 'p', version: '1', hash: 'h' },
  reasons: [],
  decidedAt: '2026-11-22T00:00:00.000Z',
};
const TEXTS = ['plain', 'café', '账户已关闭', '🧾'];

const server = fastify();
let said: string;

beforeAll(async () => {
  const tokens = { authorize: () => ({ name: 'checkout' }) } as unknown as TokenVerifier;
  const decide = () => Promise.resolve({ answer: { ...ANSWER, reasons: [{ code: 'c', text: said, source: 's' }] }, replayed: true });
  registerDecisionRoutes(server, { decide } as unknown as DecisionDoor, tokens, pino({ level: 'silent' }));
  await server.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => server.close());

it.each(TEXTS)('sends %s as it is, with its length in bytes and what else was said', async (text) => {
  said = text;
  const url = server.listeningOrigin;
  const answer = await fetch(`${url}/v1/decisions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  expect(answer.headers.get('idempotency-hit')).toBe('true');
  const body = new Uint8Array(await answer.arrayBuffer());
  expect(answer.headers.get('content-length')).toBe(String(body.length));
  expect(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))).toEqual({
    ...ANSWER,
    reasons: [{ code: 'c', text, source: 's' }],
  });
});
