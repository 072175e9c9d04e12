import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { decisionRequestSchema, parseDecisionRequest } from './decision.js';

const PLAIN = { subject: 'sub_x', service: 'checkout', amount: { amount: '1.99', currency: 'CNY' }, mode: 'RESERVE' };
const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(undefined, null, '', 0, 1, 2_592_000, 2_592_001, 1.5, NaN, [], {}, 'EVALUATE', 'RESERVE', 'reserve', 'CNY', 'a b', 'x\n'),
  fc.string({ maxLength: 70 }),
  fc.integer({ min: -5, max: 3_000_000 }),
  fc.record({ amount: fc.string({ maxLength: 40 }), currency: fc.string({ maxLength: 4 }) }),
);
const names = ['subject', 'service', 'amount', 'mode', 'counterparty', 'channel', 'holdSeconds', 'paymentReference'];
const name = fc.oneof(fc.constantFrom(...names, 'more', 'constructor', 'toString'), fc.string({ maxLength: 5 }));
const good = fc.record(
  {
    counterparty: fc.stringMatching(/^[\x21-\x7e]{1,64}$/),
    channel: fc.constantFrom('bank-a', 'b'),
    holdSeconds: fc.integer({ min: 1, max: 2_592_000 }),
    paymentReference: fc.constantFrom('PAY 1', "it's (1)"),
    mode: fc.constantFrom('EVALUATE', 'RESERVE'),
  },
  { requiredKeys: [] },
);
const changed = fc
  .tuple(good, fc.array(fc.tuple(name, odd), { maxLength: 2 }), fc.array(fc.constantFrom(...names), { maxLength: 1 }))
  .map(([more, changes, gone]) => {
    const body = { ...PLAIN, ...more, ...Object.fromEntries(changes) };
    return Object.fromEntries(Object.entries(body).filter(([key]) => !gone.includes(key)));
  });

it('takes and refuses what the schema does, and reads the same', () => {
  fc.assert(
    fc.property(fc.oneof(changed, odd), (body) => {
      const schema = decisionRequestSchema.safeParse(body);
      if (schema.success) expect(parseDecisionRequest(body)).toEqual(schema.data);
      else expect(() => parseDecisionRequest(body)).toThrow(Refusal);
    }),
    { numRuns: 2_000 },
  );
});
