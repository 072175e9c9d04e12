import { z } from 'zod';

/** Metro 2 account status codes (CRRG, field 17A) and what each says. */
export const ACCOUNT_STATUS = {
  '11': 'current: less than 30 days past due',
  '71': '30 to 59 days past due',
  '78': '60 to 89 days past due',
  '80': '90 to 119 days past due',
  '82': '120 to 149 days past due',
  '83': '150 to 179 days past due',
  '84': '180 or more days past due',
  '13': 'paid or closed with nothing owed',
  '62': 'paid, was in collection',
  '93': 'in collection',
  '97': 'charged off',
} as const;

export type AccountStatus = keyof typeof ACCOUNT_STATUS;

export const paymentProfileMonths = 24;

const wireMoney = z.strictObject({ amount: z.string().max(24), currency: z.string().length(3) });

export const performanceBody = z.strictObject({
  /** The bank's own opaque name of the account, where the subject has several there. */
  account: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,64}$/)
    .optional(),
  status: z.enum(Object.keys(ACCOUNT_STATUS) as [AccountStatus, ...AccountStatus[]]),
  balance: wireMoney,
  pastDue: wireMoney,
  /** One character a month, the latest first: 0–6 months past due, B no history, D none this month, E zero balance, G–L collection to charge-off. */
  paymentProfile: z.string().regex(/^[0-6BDEGHJKL]{24}$/, 'a payment profile is 24 characters of Metro 2 field 18'),
});
