import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_LADDER, type Standing } from '#standing';
import { compilePolicy } from './compile.js';
import { parsePolicy, policyJsonSchema } from './document.js';
import { evaluate } from './evaluate.js';
import { lintPolicy } from './lint/lint-policy.js';
import { policyInput } from './testing/house-policy.js';

const TEXT = /```json\n([^]*?)```/.exec(readFileSync('libs/policies/GUIDE.md', 'utf8'))![1]!;
const POLICY = compilePolicy(parsePolicy(JSON.parse(TEXT)), '');
const DAY = new Date('2026-11-22T12:00:00Z');
const NIGHT = new Date('2026-11-22T22:30:00Z');

const person = (score: number, change: Partial<Standing> = {}): Standing => ({
  subject: { shard: 0, uuid: '01890000-0000-7000-8000-000000000001' },
  kind: 'INDIVIDUAL',
  version: 1n,
  score: { value: score, version: '1' },
  factors: [],
  restrictions: [],
  ...change,
});
const told = (known: Standing, minor: bigint, at = DAY, counterparty?: string) => {
  const { outcome, reasons, discount } = evaluate(
    known,
    POLICY,
    { service: 'checkout', money: { minor, currency: 'EUR' }, counterparty },
    at,
  );
  return [outcome, reasons[0]!.code, discount && `${discount.minor} ${discount.rule}`];
};

describe('the guide’s policy', () => {
  it('has nothing that the linter would say against it', () => {
    expect(lintPolicy(TEXT)).toEqual([]);
  });

  it('decides as the guide says', () => {
    expect(told(person(720), 10_000n)).toEqual(['ALLOW', 'score.sufficient', '300 good']);
    expect(told(person(720), 10_000n, DAY, 'shop-1')).toEqual(['ALLOW', 'score.sufficient', '800 good+welcome']);
    expect(told(person(720), 100_000n)).toEqual(['REVIEW', 'amount.review', '2000 good']);
    expect(told(person(720), 60_000n, NIGHT)).toEqual(['REVIEW', 'risk.night', '1800 good']);
    expect(told(person(500), 10_001n)).toEqual(['DENY', 'limit.transaction_exceeded', undefined]);
    const fraud = { step: 'WARN', services: [], reason: { code: 'FRAUD', text: 'f' }, id: 'r', startsAt: new Date(0) } as const;
    expect(told(person(720, { kind: 'MERCHANT', restrictions: [fraud] }), 100n)[1]).toBe('risk.fraud');
  });

  it('brings a ladder, amounts in minor units', () => {
    expect(POLICY.ladder).toMatchObject({
      name: 'policy 2',
      rungs: [{ sanctions: [{}, { limitMinor: 20_000n, currency: 'EUR' }] }, {}, {}],
    });
  });
});

it('a policy that says nothing of disputes has the built-in clocks, in its own time zone', () => {
  const { disputes: _, ...silent } = JSON.parse(TEXT) as Record<string, unknown>;
  expect(compilePolicy(parsePolicy(silent), '').disputes).toMatchObject({
    score: 'EXCLUDE',
    noticeBusinessDays: 5,
    timeZone: 'Europe/Berlin',
  });
});

it('a policy that brings no ladder has the built-in one, and its appeals go by the business days of its own time zone', () => {
  const { ladder: _, ...silent } = JSON.parse(TEXT) as Record<string, unknown>;
  expect(compilePolicy(parsePolicy(silent), '').ladder).toEqual({
    ...BUILT_IN_LADDER,
    appeal: { ...BUILT_IN_LADDER.appeal, timeZone: 'Europe/Berlin' },
  });
});

describe('the published JSON Schema', () => {
  const validate = new Ajv2020({ formats: { date: true } }).compile(policyJsonSchema());

  it.each([
    ['the guide’s policy', JSON.parse(TEXT) as object],
    ['the policy that an installation begins with', JSON.parse(readFileSync('prisma/seed/policy.json', 'utf8')) as object],
    ['the house policy', policyInput()],
  ])('accepts %s', (_name, policy) => {
    validate(policy);
    expect(validate.errors).toBeNull();
  });

  it.each([
    ['an unknown field', { extra: 1 }],
    ['a rule without reason', { rules: [{ id: 'x', when: 'true', then: 'DENY' }] }],
    ['a length in months', { limits: [{ id: 'x', window: 'ROLLING', scope: 'SUBJECT', length: 'P1M', amount: '1' }] }],
    ['an amount that is a number', { limits: [{ id: 'x', window: 'DAY', scope: 'SUBJECT', amount: 1 }] }],
  ])('refuses %s, as the parser does', (_name, change) => {
    expect(validate({ ...policyInput(), ...change })).toBe(false);
    expect(() => parsePolicy({ ...policyInput(), ...change })).toThrow(expect.objectContaining({ code: 'policy.malformed' }));
  });
});
