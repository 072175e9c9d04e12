import { describe, expect, it } from 'vitest';
import { compilePolicy, tierOf } from './compile.js';
import { parsePolicy } from './document.js';

describe('a policy ready to decide with', () => {
  it('holds each discount once, however many services and tiers it is for', () => {
    const tiers = ['LOW', 'HIGH'];
    const services = ['checkout', 'market', 'ride'].map((name) => ({ name, mode: 'enforce' }));
    const discounts = ['a', 'b'].map((id) => ({ id, tiers, percent: '1', counterparties: ['shop-1', 'shop-2'] }));
    const document = parsePolicy({
      id: 'house',
      version: 1,
      timeZone: 'Asia/Shanghai',
      currency: 'CNY',
      services,
      discounts,
      tiers: tiers.map((name, i) => ({ name, minimumScore: 350 + i })),
    });
    const rules = [...compilePolicy(document, '').services.values()].flatMap(({ byTier }) =>
      [...byTier.values()].flatMap((tier) => tier.discounts),
    );
    expect([rules.length, new Set(rules).size]).toEqual([12, 2]);
  });
});

describe('a tier', () => {
  const tiers = [
    { name: 'LOW', minimumScore: 350 },
    { name: 'TOP', minimumScore: 700 },
    { name: 'MIDDLE', minimumScore: 600 },
  ];
  const document = parsePolicy({
    id: 'house',
    version: 1,
    timeZone: 'Asia/Shanghai',
    currency: 'CNY',
    services: [{ name: 'checkout', mode: 'enforce' }],
    tiers,
  });
  const policy = compilePolicy(document, '');

  it.each([
    [349, 'LOW'],
    [350, 'LOW'],
    [599, 'LOW'],
    [600, 'MIDDLE'],
    [699, 'MIDDLE'],
    [700, 'TOP'],
    [950, 'TOP'],
  ])('with %i points is %s', (score, tier) => {
    expect(tierOf(policy, score)).toBe(tier);
  });
});
