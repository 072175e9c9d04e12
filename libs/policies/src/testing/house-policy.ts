import { compilePolicy, type Policy } from '../compile.js';
import { parsePolicy, type PolicyInput } from '../document.js';

/** A policy with one of everything, for tests: change one thing and expect one answer. */
export function policyInput(change: Partial<PolicyInput> = {}): PolicyInput {
  return {
    id: 'house',
    version: 1,
    timeZone: 'Asia/Shanghai',
    currency: 'CNY',
    tiers: [
      { name: 'LIMITED', minimumScore: 350 },
      { name: 'BASIC', minimumScore: 550 },
      { name: 'GOOD', minimumScore: 600 },
      { name: 'TRUSTED', minimumScore: 650 },
      { name: 'EXCELLENT', minimumScore: 700 },
    ],
    limits: [{ id: 'all-day', window: 'DAY', scope: 'SUBJECT', amount: '10000.00' }],
    services: [
      {
        name: 'checkout',
        mode: 'enforce',
        reviewAbove: '1500.00',
        limits: [
          { id: 'checkout-one', window: 'TRANSACTION', scope: 'SUBJECT', amount: '2000.00', byTier: { LIMITED: { amount: '200.00' } } },
          {
            id: 'checkout-day',
            window: 'DAY',
            scope: 'SUBJECT_SERVICE',
            amount: '5000.00',
            count: 20,
            byTier: { LIMITED: { amount: '500.00' } },
          },
        ],
      },
      {
        name: 'pay-later',
        mode: 'enforce',
        minimumScore: 650,
        limits: [{ id: 'later-month', window: 'MONTH', scope: 'SUBJECT', amount: '3000.00' }],
      },
      {
        name: 'marketplace',
        mode: 'advisory',
        limits: [{ id: 'market-to', window: 'DAY', scope: 'SUBJECT_COUNTERPARTY', amount: '100.00' }],
      },
      { name: 'donations', mode: 'off' },
    ],
    discounts: [
      { id: 'trusted', tiers: ['TRUSTED', 'EXCELLENT'], percent: '1.5' },
      { id: 'excellent-checkout', services: ['checkout'], tiers: ['EXCELLENT'], percent: '2' },
    ],
    ...change,
  };
}

export function testPolicy(change: Partial<PolicyInput> = {}): Policy {
  return compilePolicy(parsePolicy(policyInput(change)), 'f'.repeat(64));
}
