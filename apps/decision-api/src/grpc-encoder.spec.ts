import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encoderOf } from './grpc-encoder.js';

const definition = loadSync('apps/decision-api/proto/decision.proto', { keepCase: false, longs: String, enums: String, defaults: false });
const service = definition['tallystick.decision.v1.DecisionService'] as Record<string, MethodDefinition<object, object>>;

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ minLength: 120, maxLength: 400 }));
const outcome = fc.constantFrom('ALLOW', 'DENY', 'REVIEW');
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const limit = fc.record({
  id: text,
  window: text,
  used: text,
  reserved: text,
  limit: maybe(text),
  available: maybe(text),
  resetAt: maybe(text),
  count: maybe(fc.record({ limit: fc.nat(), taken: fc.maxSafeInteger(), available: fc.nat() })),
});
const answer = fc.record({
  decisionId: maybe(text),
  outcome,
  computedOutcome: outcome,
  tier: text,
  decidedAt: text,
  idempotencyHit: fc.boolean(),
  reasons: fc.array(fc.record({ code: text, text, source: text }), { maxLength: 3 }),
  score: fc.record({ value: fc.nat(), version: text }),
  policy: fc.record({ id: text, version: text, hash: text }),
  limits: fc.array(limit, { maxLength: 4 }),
  reservation: maybe(fc.record({ id: text, expiresAt: text })),
});
const problem = fc.record({ code: text, detail: text, status: fc.integer(), field: maybe(text), retryAfterSeconds: maybe(fc.integer()) });
const tag = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const result = fc.oneof(fc.record({ tag, answer }), fc.record({ tag, problem }));

describe('an encoder from descriptors', () => {
  it.each([
    ['DecideStream', 'DecisionResult', result],
    ['DecideBatch', 'DecisionBatchAnswer', fc.record({ results: fc.array(result, { maxLength: 5 }) })],
    ['Decide', 'DecisionAnswer', answer],
  ] as const)('writes what %s writes without it, byte by byte', (method, type, values) => {
    const encode = encoderOf(definition, `tallystick.decision.v1.${type}`);
    fc.assert(
      fc.property(values as fc.Arbitrary<object>, (value) => {
        expect(encode(value).toString('hex')).toBe(service[method]!.responseSerialize(value).toString('hex'));
      }),
    );
  });

  it('knows every message of the protocol', () => {
    const messages = Object.entries(definition).filter(([, { format }]) => format === 'Protocol Buffer 3 DescriptorProto');
    expect(messages.length).toBeGreaterThan(20);
    for (const [name] of messages) expect(() => encoderOf(definition, name)).not.toThrow();
  });
});
