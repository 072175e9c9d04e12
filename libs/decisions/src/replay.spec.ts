import { generateKeyPairSync, hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize, createEd25519Signer, type JsonObject, signJws, verifyJws } from '#evidence';
import { compilePolicy, parsePolicy, type PolicyInput } from '#policies';
import { policyInput } from '#policies/testing/house-policy';
import type { Restriction, Standing } from '#standing';
import type { DecisionRequest } from './decision.js';
import { DECISION_RECEIPT_TYP, parseReceiptClaims, type ReceiptClaims, receiptClaims } from './receipt.js';
import { ReceiptWriter } from './receipt-writer.js';
import { replayReceipt, type Sha256 } from './replay.js';
import { decidedRow, type Spent } from './testing/decided-row.js';

const KEPT = JSON.parse(readFileSync('test/vectors/receipts/version-1.json', 'utf8')) as {
  policy: JsonObject;
  receipts: Record<string, JsonObject>;
};
const AT = new Date('2026-11-21T12:00:00.123Z');
const SUBJECT = { shard: 0, uuid: '01890000-0000-7000-8000-000000000001' } as const;
const sha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');
const compiled = (input: PolicyInput) => {
  const document = parsePolicy(input);
  return compilePolicy(document, hash('sha256', canonicalize(document)));
};

function standing(score: number, ...restrictions: Partial<Restriction>[]): Standing {
  return {
    ...{ subject: SUBJECT, kind: 'INDIVIDUAL', version: 3n, score: { value: score, version: '2026.1' } },
    factors: ['A', 'B', 'C', 'D', 'E'].map((code) => ({ code, text: `factor ${code}` })),
    restrictions: restrictions.map((change, i) => ({
      ...{ id: `r${i}`, step: 'SERVICE_STOP', services: [], reason: { code: 'FRAUD', text: 'proven: fraud' }, startsAt: new Date(0) },
      ...change,
    })),
  };
}

/** Everything that a restriction may say of itself. */
const TERMS: Partial<Restriction> = {
  startsAt: new Date('2026-11-01T00:00:00Z'),
  endsAt: new Date('2026-12-01T00:00:00Z'),
  services: ['checkout', 'pay-later'],
  cure: { code: 'CLEARANCE', text: 'the bank clears it' },
  appealUntil: new Date('2026-12-01T00:00:00Z'),
};

const request = (change: Partial<DecisionRequest> = {}, minor = 10_000n): DecisionRequest => ({
  ...{ subject: SUBJECT, service: 'checkout', money: { minor, currency: 'CNY' }, mode: 'RESERVE', holdSeconds: 900 },
  ...{ counterparty: undefined, channel: undefined, paymentReference: undefined },
  ...change,
});

const spent = (reservedMinor: bigint, taken = 1): Spent => ({ usedMinor: 0n, reservedMinor, taken });

function claimsOf(known: Standing, asked: DecisionRequest, found: readonly Spent[] = [], policy = policyInput()): ReceiptClaims {
  const row = decidedRow({ policy: compiled(policy), standing: known, request: asked, at: AT, spent: found });
  // Through JSON, as a receipt travels.
  return parseReceiptClaims(JSON.parse(JSON.stringify(receiptClaims(row, 'https://tallystick.example'))) as JsonObject);
}

const GOOD = () => claimsOf(standing(720), request({ counterparty: 'shop-1', channel: 'bank-a', paymentReference: 'E2E-1' }), [spent(5n)]);
const differing = (claims: ReceiptClaims, policy: unknown = policyInput()) => replayReceipt(claims, policy, sha256).map(({ at }) => at);

describe('a decision replayed from its receipt', () => {
  it.each<[name: string, known: Standing, asked: DecisionRequest, found: Spent[], outcome: string, first: string | undefined]>([
    ['allowed', standing(720), request(), [], 'ALLOW', 'score.sufficient'],
    ['allowed to the last cent', standing(720), request(), [spent(490_000n)], 'ALLOW', 'score.sufficient'],
    ['denied by the amount of a limit', standing(720), request(), [spent(490_001n)], 'DENY', 'limit.exceeded'],
    ['denied by the count of a limit', standing(720), request(), [spent(1n, 20)], 'DENY', 'limit.exceeded'],
    ['denied by two limits', standing(720), request(), [spent(490_001n), spent(999_999n)], 'DENY', 'limit.exceeded'],
    ['denied by score', standing(649), request({ service: 'pay-later' }), [], 'DENY', 'score.below_minimum'],
    ['denied by one transaction’s limit', standing(500), request({}, 20_001n), [], 'DENY', 'limit.transaction_exceeded'],
    ['for a person to look at', standing(720), request({}, 150_001n), [], 'REVIEW', 'amount.review'],
    ['stopped', standing(720, { endsAt: new Date('2026-12-01') }), request(), [], 'DENY', 'restriction.service_stop'],
    ['closed', standing(720, { step: 'CLOSURE' }), request(), [], 'DENY', 'restriction.closure'],
    ['cut', standing(720, { step: 'LIMIT_CUT', limitPercent: 50 }), request(), [spent(240_001n)], 'DENY', 'limit.exceeded'],
    ['cut to nothing', standing(720, { step: 'LIMIT_CUT' }), request(), [], 'DENY', 'limit.exceeded'],
    [
      'cut to an amount',
      standing(720, { ...TERMS, step: 'LIMIT_CUT', limitMinor: 10_000n, currency: 'CNY' }),
      request(),
      [spent(1n)],
      'DENY',
      'limit.exceeded',
    ],
    ['told to the banks', standing(720, { ...TERMS, step: 'BANK_NOTICE' }), request(), [], 'ALLOW', 'restriction.bank_notice'],
    ['warned', standing(720, { step: 'WARN' }), request(), [], 'ALLOW', 'restriction.warning'],
    ['stopped elsewhere', standing(720, { services: ['pay-later'] }), request(), [], 'ALLOW', 'score.sufficient'],
    ['advised against', standing(720), request({ service: 'marketplace' }), [spent(10_000n)], 'ALLOW', 'limit.exceeded'],
    ['not asked about', standing(720, {}), request({ service: 'donations' }), [], 'ALLOW', undefined],
    ['evaluated only', standing(720, {}), request({ mode: 'EVALUATE', holdSeconds: 77 }), [], 'DENY', 'restriction.service_stop'],
  ])('is the same: %s', (_name, known, asked, found, outcome, first) => {
    const claims = claimsOf(known, asked, found);
    expect([claims.outcome, claims.reasons[0]?.code]).toEqual([outcome, first]);
    expect(replayReceipt(claims, policyInput(), sha256)).toEqual([]);
    expect(replayReceipt(claims, parsePolicy(policyInput()), sha256)).toEqual([]);
  });

  // Rules, windows, discounts: whatever a policy may say is decided again from the receipt.
  const limit = (id: string, more: object) =>
    ({ id, scope: 'SUBJECT' as const, amount: '5000.00', ...more }) as NonNullable<PolicyInput['limits']>[number];
  const rich = (): PolicyInput =>
    policyInput({
      limits: [
        limit('week', { window: 'ROLLING', length: 'P7D', count: 9 }),
        limit('ten', { window: 'CUSTOM', every: 'P10D', anchor: '2026-01-31', scope: 'SUBJECT_COUNTERPARTY' }),
        limit('open', { window: 'OPEN_EXPOSURE', amount: '900.00' }),
      ],
      discounts: [
        { id: 'tenth', tiers: ['EXCELLENT'], percent: '10', maximum: '8.00' },
        { id: 'coupon', tiers: ['EXCELLENT'], amount: '5.00', minimumAmount: '50.00', counterparties: ['shop-1'] },
      ],
      stacking: { mode: 'SEQUENTIAL', maximumPercent: '50' },
      rules: [
        {
          id: 'trade',
          when: 'subject.kind == "MERCHANT" && at.hour == 20',
          then: 'REVIEW',
          reason: { code: 'risk.trade', text: 'a merchant at night' },
        },
        { id: 'late', when: '"LATE" in subject.restrictions', then: 'WARN', reason: { code: 'risk.late', text: 'paid late' } },
        { id: 'broken', when: '1 / (subject.score - 700) > 5', then: 'WARN', reason: { code: 'risk.x', text: 'x' } },
      ],
    });
  const merchant = (known: Standing): Standing => ({ ...known, kind: 'MERCHANT' });

  it.each<[name: string, known: Standing, found: Spent[], codes: string[], discount: string | undefined]>([
    ['allowed', standing(720), [], ['score.sufficient'], 'tenth+coupon'],
    ['reviewed by a rule', merchant(standing(720)), [], ['risk.trade'], 'tenth+coupon'],
    [
      'warned by a rule',
      standing(720, { step: 'WARN', reason: { code: 'LATE', text: 'l' } }),
      [],
      ['restriction.warning', 'risk.late'],
      'tenth+coupon',
    ],
    ['denied by a rule that has no value', standing(700), [], ['rule.failed'], undefined],
    ['full this week', standing(720), [spent(0n), spent(499_000n)], ['limit.exceeded', 'score.sufficient'], undefined],
    [
      'as much open as may be',
      standing(720),
      [spent(0n), spent(0n), spent(0n), spent(80_001n)],
      ['limit.exceeded', 'score.sufficient'],
      undefined,
    ],
    [
      'cut to an amount',
      standing(720, { step: 'LIMIT_CUT', limitMinor: 10_000n }),
      [spent(1n)],
      ['limit.exceeded', 'restriction.limit_cut'],
      undefined,
    ],
  ])('is the same under a rich policy: %s', (_name, known, found, codes, discount) => {
    const claims = claimsOf(known, request({ counterparty: 'shop-1' }), found, rich());
    expect([claims.reasons.map(({ code }) => code), claims.discount?.rule]).toEqual([codes, discount]);
    expect(replayReceipt(claims, rich(), sha256)).toEqual([]);
  });

  const later: Partial<PolicyInput> = { limits: [{ id: 'all-day', window: 'WEEK', scope: 'SUBJECT', amount: '10000.00' }] };
  it.each<[name: string, policy: Partial<PolicyInput>, places: string[]]>([
    ['another version', { version: 2 }, ['/evaluation/policy/hash', '/evaluation/policy/version']],
    ['another discount', { discounts: [] }, ['/evaluation/discount', '/evaluation/policy/hash', '/discount']],
    [
      'another window',
      later,
      ['/evaluation/caps/1/resetAt', '/evaluation/caps/1/start', '/evaluation/caps/1/window', '/evaluation/policy/hash'],
    ],
    ['no such service', { services: [{ name: 'donations', mode: 'off' }], discounts: [] }, ['/outcome']],
  ])('differs under a changed policy: %s', (_name, change, places) => {
    expect(differing(GOOD(), policyInput(change))).toEqual(expect.arrayContaining(places));
  });

  it.each<[name: string, change: (claims: ReceiptClaims) => object, places: string[]]>([
    ['another outcome', () => ({ outcome: 'DENY' }), ['/outcome']],
    ['another reason', ({ reasons }) => ({ reasons: [{ ...reasons[0]!, text: 'because' }] }), ['/reasons/0/text']],
    ['no reservation', () => ({ reservation: undefined }), ['/reservation']],
    ['another subject', () => ({ sub: 'sub_000000000000000000000000000' }), ['/inputDigest']],
    [
      'another standing’s score',
      ({ evaluation }) => ({ evaluation: { ...evaluation, score: { value: 690, version: '2026.1' } } }),
      ['/commitment', '/evaluation/tier'],
    ],
    ['another amount', ({ evaluation }) => ({ evaluation: { ...evaluation, amount: '9999' } }), ['/inputDigest', '/commitment', '/usage']],
    [
      'a counter found fuller',
      ({ limits }) => ({ limits: [{ ...limits[0]!, before: { ...limits[0]!.before, used: '499990' } }, limits[1]] }),
      ['/limits/0/exceeded', '/outcome'],
    ],
    [
      'a counter left emptier',
      ({ limits }) => ({ limits: [{ ...limits[0]!, after: { ...limits[0]!.after, reserved: '0' } }, limits[1]] }),
      ['/limits/0/after/reserved'],
    ],
    ['another salt', () => ({ salt: '3f0c8c7e-5d2b-4a51-9c3e-0a1b2c3d4e50' }), ['/commitment']],
    ['another time', () => ({ decidedAt: '2026-11-22T12:00:00.123Z' }), ['/evaluation/caps/0/start', '/reservation/expiresAt']],
  ])('differs in a changed receipt: %s', (_name, change, places) => {
    const claims = GOOD();
    expect(differing(claims)).toEqual([]);
    expect(differing({ ...claims, ...change(claims) })).toEqual(expect.arrayContaining(places));
  });

  // What was signed yesterday replays tomorrow: mend the rule, not the vector.
  it.each(Object.entries(KEPT.receipts))('is the same years later: %s', (_name, payload) => {
    expect(replayReceipt(parseReceiptClaims(payload), KEPT.policy, sha256)).toEqual([]);
  });

  it('names both sides of a difference', () => {
    expect(replayReceipt({ ...GOOD(), outcome: 'REVIEW' }, policyInput(), sha256)).toEqual([
      { at: '/outcome', receipt: 'REVIEW', replay: 'ALLOW' },
    ]);
  });

  it('is the same for whatever was asked, of whomever, under whatever policy', () => {
    const percent = fc.integer({ min: 0, max: 100 });
    const restriction = fc.record({
      step: fc.constantFrom('WARN', 'LIMIT_CUT', 'SERVICE_STOP', 'CLOSURE'),
      services: fc.constantFrom([], ['checkout'], ['pay-later']),
      limitPercent: percent,
      startsAt: fc.constantFrom(new Date(0), AT, new Date(AT.getTime() + 1)),
    });
    const minorUnits = fc.oneof(fc.constant(0n), fc.bigInt(0n, 600_000n));
    const counter = fc.record({
      usedMinor: minorUnits,
      reservedMinor: minorUnits,
      taken: fc.integer({ min: 0, max: 25 }),
    });
    const scene = fc.record({
      score: fc.integer({ min: 350, max: 950 }),
      restrictions: fc.array(restriction, { maxLength: 3 }),
      minor: fc.bigInt(1n, 250_000n),
      ask: fc.record({
        service: fc.constantFrom('checkout', 'pay-later', 'marketplace', 'donations'),
        mode: fc.constantFrom('RESERVE', 'EVALUATE'),
        counterparty: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
        holdSeconds: fc.integer({ min: 1, max: 2_592_000 }),
      }),
      found: fc.array(counter, { maxLength: 3 }),
      policy: fc.record({
        timeZone: fc.constantFrom('Asia/Shanghai', 'America/New_York', 'Pacific/Chatham'),
        limits: fc
          .tuple(fc.constantFrom('DAY', 'WEEK', 'MONTH', 'LIFETIME'), fc.integer({ min: 0, max: 99_999 }))
          .map(([window, amount]) => [{ id: 'all', window, scope: 'SUBJECT' as const, amount: `${amount}.50`, count: 12 }]),
      }),
    });
    const seen = new Set<string>();
    fc.assert(
      fc.property(scene, ({ score, restrictions, minor, ask, found, policy }) => {
        const input = policyInput(policy);
        const claims = claimsOf(
          standing(score, ...(restrictions as Partial<Restriction>[])),
          request(ask as Partial<DecisionRequest>, minor),
          found,
          input,
        );
        seen.add(claims.outcome);
        expect(replayReceipt(claims, input, sha256)).toEqual([]);
      }),
      { numRuns: 400, seed: 20261121 },
    );
    expect([...seen].sort()).toEqual(['ALLOW', 'DENY', 'REVIEW']);
  });
});

describe('a decision receipt', () => {
  const signer = createEd25519Signer(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
  const findKey = (kid: string) => ({ kid, alg: 'EdDSA', jwk: signer.publicJwk, state: 'ACTIVE' }) as const;
  const row = decidedRow({ policy: compiled(policyInput()), standing: standing(720), request: request(), at: AT });
  const writer = new ReceiptWriter(
    { findById: ({ uuid }) => Promise.resolve(uuid === row.decision.uuid ? row : undefined) },
    () => signer,
    'https://t',
  );

  it('is the same whenever it is asked for, and verifies', async () => {
    const receipt = await writer.write(row.decision, row.caller);
    expect(await writer.write(row.decision, row.caller)).toBe(receipt);
    const { value } = await verifyJws(Buffer.from(receipt), DECISION_RECEIPT_TYP, findKey);
    expect(replayReceipt(parseReceiptClaims(value.payload), policyInput(), sha256)).toEqual([]);
    expect(value.payload).toMatchObject({
      iss: 'https://t',
      iat: 1795262400,
      fact: 'fct_07',
      standingVersion: '3',
      decidedAt: AT.toISOString(),
    });
  });

  it('is not given to strangers, nor for decisions that are not there', async () => {
    await expect(writer.write(row.decision, 'another-service')).rejects.toMatchObject({ code: 'decision.unknown' });
    await expect(writer.write(SUBJECT, row.caller)).rejects.toMatchObject({ code: 'decision.unknown' });
  });

  it('with a claim changed, or signed as something else, does not verify', async () => {
    const receipt = await writer.write(row.decision, row.caller);
    const [header, payload, signature] = receipt.split('.') as [string, string, string];
    const forged = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"outcome":"ALLOW"', '"outcome":"DENY"')).toString(
      'base64url',
    );
    const verify = (jws: string) => verifyJws(Buffer.from(jws), DECISION_RECEIPT_TYP, findKey);
    await expect(verify(`${header}.${forged}.${signature}`)).rejects.toMatchObject({ code: 'signature.invalid' });
    await expect(verify(signJws('record-receipt+jwt', {}, signer))).rejects.toMatchObject({ code: 'signature.header_refused' });
  });

  it.each(['evaluation', 'salt', 'limits', 'inputDigest', 'decidedAt'])('without %s is malformed', (name) => {
    const { [name as 'salt']: _, ...rest } = GOOD();
    expect(() => parseReceiptClaims(rest as unknown as JsonObject)).toThrow(expect.objectContaining({ code: 'receipt.malformed' }));
  });
});
