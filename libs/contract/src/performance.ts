import { z } from 'zod';
import { type Money, parseMoney, Refusal, reportedMinorMax, type WireMoney } from '#kernel';

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

/** Metro 2 payment history profile (CRRG, field 18): what one month's character says. */
export const PAYMENT_PROFILE = {
  '0': 'current',
  '1': '30 to 59 days past due',
  '2': '60 to 89 days past due',
  '3': '90 to 119 days past due',
  '4': '120 to 149 days past due',
  '5': '150 to 179 days past due',
  '6': '180 or more days past due',
  B: 'no history from here back: the account was not open, or nothing is known',
  D: 'no history for this month',
  E: 'current, with a balance of zero',
  G: 'in collection',
  H: 'foreclosure completed',
  J: 'voluntary surrender',
  K: 'repossession',
  L: 'charged off',
} as const;

const paymentProfileMonths = 24;

const told = (words: object) =>
  Object.entries(words)
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join('; ');

export const wireMoney = z.strictObject({ amount: z.string().max(24), currency: z.string().length(3) });

export const performanceBody = z.strictObject({
  account: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,64}$/)
    .describe('your own opaque name of the account, where the subject has several with you')
    .optional(),
  status: z
    .enum(Object.keys(ACCOUNT_STATUS) as [AccountStatus, ...AccountStatus[]])
    .describe(`Metro 2 account status: ${told(ACCOUNT_STATUS)}`),
  balance: wireMoney,
  pastDue: wireMoney,
  paymentProfile: z
    .string()
    .regex(
      new RegExp(`^[${Object.keys(PAYMENT_PROFILE).join('')}]{${paymentProfileMonths}}$`),
      `a payment profile is ${paymentProfileMonths} characters of Metro 2 field 18`,
    )
    .describe(`one character for each of the last ${paymentProfileMonths} months, the latest first: ${told(PAYMENT_PROFILE)}`),
});

export type Performance = z.output<typeof performanceBody>;

/** Statuses under which nothing may be past due: current, paid. */
const NOTHING_DUE: readonly AccountStatus[] = ['11', '13', '62'];
/** Of these nothing is owed at all. */
const NOTHING_OWED: readonly AccountStatus[] = ['13', '62'];
/** These say that something is past due, so something must be. */
const SOMETHING_DUE: readonly AccountStatus[] = ['71', '78', '80', '82', '83', '84'];

/** An amount as a bank reports it: up to 18 digits. Refuses what `parseMoney` refuses. */
export function parseReported(wire: WireMoney, field?: string): Money {
  return parseMoney(wire, field, reportedMinorMax);
}

/**
 * What fields 17A, 18, 21 and 22 say of each other. That who has paid in full owes nothing is named by the CFPB's advisory opinion on facially
 * false data (effective 2022-10-26). The others are ours, from what the fields mean, because the CRRG is not public: one currency, no more past
 * due than is owed, nothing or something past due as the status says, no history before B. Refuses 422 `record.inconsistent` and what `parseMoney`
 * refuses, with the field below `field`.
 */
export function checkPerformance({ status, balance, pastDue, paymentProfile }: Performance, field: string): void {
  const owed = parseReported(balance, `${field}/balance/amount`);
  const late = parseReported(pastDue, `${field}/pastDue/amount`);
  const refuse = (detail: string, member: string) => {
    throw new Refusal('unprocessable', 'record.inconsistent', detail, { field: `${field}/${member}` });
  };
  if (owed.currency !== late.currency) refuse('balance and pastDue must be in one currency', 'pastDue/currency');
  if (late.minor > owed.minor) refuse('pastDue is above the balance', 'pastDue');
  if (NOTHING_DUE.includes(status) && late.minor > 0n) refuse(`status ${status} has nothing past due`, 'pastDue');
  if (NOTHING_OWED.includes(status) && owed.minor > 0n) refuse(`status ${status} has a balance of zero`, 'balance');
  if (SOMETHING_DUE.includes(status) && late.minor === 0n) refuse(`status ${status} has something past due`, 'pastDue');
  if (/B[^B]/.test(paymentProfile)) refuse('B says that there is no history from there back: only B may follow it', 'paymentProfile');
}
