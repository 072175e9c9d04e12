import type { PolicyInput } from '#policies';

/** Tight enough that hot subjects run into every limit, by amount and by count, within seconds. Even versions are tighter at the checkout. */
export function simPolicy(timeZone = 'Asia/Shanghai', version = 1): PolicyInput {
  const checkout = version % 2 === 1 ? { amount: '3000.00', count: 30 } : { amount: '2400.00', count: 24 };
  return {
    id: 'sim',
    version,
    timeZone,
    currency: 'CNY',
    tiers: [{ name: 'ANY', minimumScore: 350 }],
    limits: [{ id: 'all-month', window: 'MONTH', scope: 'SUBJECT', amount: '6000.00' }],
    services: [
      {
        name: 'checkout',
        mode: 'enforce',
        limits: [{ id: 'checkout-day', window: 'DAY', scope: 'SUBJECT_SERVICE', ...checkout }],
      },
      {
        name: STOPPED_SERVICE,
        mode: 'enforce',
        limits: [
          { id: 'transfer-week', window: 'WEEK', scope: 'SUBJECT', amount: '2500.00' },
          { id: 'transfer-open', window: 'OPEN_EXPOSURE', scope: 'SUBJECT', amount: '700.00' },
          {
            id: 'transfer-rolling',
            window: 'ROLLING',
            length: 'PT3M',
            grain: 'PT1M',
            scope: 'SUBJECT_SERVICE',
            amount: '1600.00',
            count: 18,
          },
        ],
      },
    ],
  };
}

/** What a subject may be stopped from using. */
export const STOPPED_SERVICE = 'transfer';

interface SimCap {
  readonly minor: bigint;
  readonly count: bigint;
  /** `open`: what is on hold now, whenever it was. */
  readonly unit: 'day' | 'week' | 'month' | 'open' | 'minute';
  /** Rolling: so many minutes before the current one count, too. */
  readonly minutesBefore?: number;
}

const UNCOUNTED = 2n ** 62n;

/** What the model holds the ledger to, written down a second time: it does not ask the ledger what the caps were. */
export function capsOf(policyVersion: bigint): Readonly<Record<string, SimCap>> {
  const checkout = policyVersion % 2n === 1n ? { minor: 300_000n, count: 30n } : { minor: 240_000n, count: 24n };
  return {
    'all-month': { minor: 600_000n, count: UNCOUNTED, unit: 'month' },
    'checkout-day': { ...checkout, unit: 'day' },
    'transfer-week': { minor: 250_000n, count: UNCOUNTED, unit: 'week' },
    'transfer-open': { minor: 70_000n, count: UNCOUNTED, unit: 'open' },
    'transfer-rolling': { minor: 160_000n, count: 18n, unit: 'minute', minutesBefore: 3 },
  };
}

export const SERVICE_LIMITS: Readonly<Record<string, readonly string[]>> = {
  checkout: ['checkout-day', 'all-month'],
  [STOPPED_SERVICE]: ['transfer-week', 'transfer-open', 'transfer-rolling', 'all-month'],
};
