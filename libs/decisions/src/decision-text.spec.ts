import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DecisionAnswer } from '#contract';
import { canonicalize, type JsonObject } from '#evidence';
import { answerText, detailsText } from './decision-text.js';
import type { DecisionDetails } from './details.js';
import { shared } from './shared-json.js';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const digits = fc.bigInt({ min: 0n, max: 10n ** 15n }).map(String);
const outcome = fc.constantFrom('ALLOW', 'DENY', 'REVIEW');
const factors = fc.array(fc.record({ code: text, text }), { maxLength: 4 });
const reasons = fc.array(fc.record({ code: text, source: text, text }), { maxLength: 3 });
const score = fc.record({ disputed: maybe(fc.constant(true)), value: fc.integer({ min: 350, max: 950 }), version: text });
const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((at) => at.toISOString());

/** As `detailsOf` makes them: names in canonical order. */
const details = fc.record({
  amount: digits,
  caps: fc.array(fc.record({ amount: maybe(digits), counter: text, limit: text, start: time, window: text }), { maxLength: 3 }),
  channel: maybe(text),
  computed: outcome,
  counterparty: maybe(text),
  currency: fc.constantFrom('CNY', 'EUR'),
  discount: maybe(fc.record({ minor: digits, rate: maybe(text), rule: text })),
  enforced: fc.boolean(),
  factors,
  holdSeconds: maybe(fc.nat()),
  kind: maybe(fc.constant('MERCHANT')),
  mode: fc.constantFrom('EVALUATE', 'RESERVE'),
  outcome,
  paymentReference: maybe(text),
  policy: fc.record({ hash: text, id: text, version: digits }),
  reasons,
  restrictions: fc.array(fc.record({ code: text, id: text, limitPercent: maybe(fc.nat(99)), step: text }), { maxLength: 2 }),
  score,
  service: text,
  tier: text,
  transactionLimits: fc.array(fc.record({ amount: digits, limit: text }), { maxLength: 2 }),
}) as fc.Arbitrary<DecisionDetails>;

const limit = fc.record({
  id: text,
  window: fc.constantFrom('DAY', 'ROLLING'),
  limit: maybe(digits),
  used: digits,
  reserved: digits,
  available: maybe(digits),
  count: maybe(fc.record({ limit: fc.nat(), taken: fc.nat(), available: fc.nat() })),
  resetAt: maybe(time),
});

const answer = fc.record({
  decisionId: maybe(fc.stringMatching(/^dec_[0-9a-z]{27}$/)),
  outcome,
  computedOutcome: outcome,
  reasons,
  tier: text,
  score,
  policy: fc.record({ id: text, version: digits, hash: text }),
  limits: fc.array(limit, { maxLength: 3 }),
  discount: maybe(fc.record({ rate: maybe(text), amount: digits, rule: text })),
  restrictions: fc.array(fc.record({ id: text, step: text, code: text, services: maybe(fc.array(text)) }), { maxLength: 2 }),
  factors: maybe(factors),
  reservation: maybe(fc.record({ id: fc.stringMatching(/^rsv_[0-9a-z]{27}$/), expiresAt: time })),
  decidedAt: time,
}) as fc.Arbitrary<DecisionAnswer>;

it('writes details in canonical form, to the letter, shared parts or not', () => {
  fc.assert(
    fc.property(details, fc.boolean(), (told, isShared) => {
      if (isShared) for (const part of [told.caps, told.factors, told.policy, told.reasons, told.score]) shared(part);
      const plain = JSON.stringify(told);
      expect([detailsText(told), detailsText(told), canonicalize(JSON.parse(plain) as JsonObject)]).toEqual([plain, plain, plain]);
    }),
  );
});

it('writes answers as JSON.stringify does', () => {
  fc.assert(
    fc.property(answer, (told) => {
      expect(answerText(told)).toBe(JSON.stringify(told));
    }),
  );
});
