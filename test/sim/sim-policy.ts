import type { PolicyInput } from '#policies';

/** Tight enough that hot subjects run into every limit, by amount and by count, within seconds. */
export function simPolicy(timeZone = 'Asia/Shanghai'): PolicyInput {
  return {
    id: 'sim',
    version: 1,
    timeZone,
    currency: 'CNY',
    tiers: [{ name: 'ANY', minimumScore: 350 }],
    limits: [{ id: 'all-month', window: 'MONTH', scope: 'SUBJECT', amount: '6000.00' }],
    services: [
      {
        name: 'checkout',
        mode: 'enforce',
        limits: [{ id: 'checkout-day', window: 'DAY', scope: 'SUBJECT_SERVICE', amount: '3000.00', count: 30 }],
      },
      { name: 'transfer', mode: 'enforce', limits: [{ id: 'transfer-week', window: 'WEEK', scope: 'SUBJECT', amount: '2500.00' }] },
    ],
  };
}

/** What the model holds the ledger to, written down a second time: it does not ask the ledger what the caps were. */
export const CAPS: Readonly<Record<string, { readonly minor: bigint; readonly count: bigint; readonly unit: 'day' | 'week' | 'month' }>> = {
  'all-month': { minor: 600_000n, count: 2n ** 62n, unit: 'month' },
  'checkout-day': { minor: 300_000n, count: 30n, unit: 'day' },
  'transfer-week': { minor: 250_000n, count: 2n ** 62n, unit: 'week' },
};

export const SERVICE_LIMITS: Readonly<Record<string, readonly string[]>> = {
  checkout: ['checkout-day', 'all-month'],
  transfer: ['transfer-week', 'all-month'],
};
