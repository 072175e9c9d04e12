import { randomBytes } from 'node:crypto';
import type { Money } from '#kernel';
import { toWireMoney } from '#kernel';
import type { Customer } from './chapter-records.js';
import type { Narrator } from './narrator.js';
import type { Stage } from './stage.js';

export interface Payment {
  readonly reference: string;
  readonly money: Money;
}

const AMOUNTS_MINOR = [19_900n, 5_000n, 8_850n, 12_345n, 3_210n];

/** Checkout asks, is allowed, reserves and confirms with a payment reference. */
export async function payAtCheckout(stage: Stage, narrator: Narrator, customer: Customer): Promise<Payment[]> {
  narrator.chapter('Checkout asks: may this customer do this, now, for this amount?');
  const amount = { amount: '199.00', currency: 'CNY' };
  const asked = await stage.checkout.decide({ subject: customer.subject, service: 'pay-later', amount, mode: 'EVALUATE' });
  narrator.check('pay-later is allowed above 650', asked.outcome === 'ALLOW', asked);
  narrator.say(`tier ${asked.tier}; ${asked.limits.map((l) => `${l.id} ${l.available} of ${l.limit} left`).join('; ')}`);
  narrator.say(
    `discount ${asked.discount ? `${asked.discount.amount} (${asked.discount.rule})` : 'none'}; ${asked.reasons.map((r) => r.text).join('; ')}`,
  );
  narrator.check('the answer carries limits and reasons', asked.limits.length > 0 && asked.reasons.length > 0, asked);

  narrator.chapter('It reserves and confirms payments that bank A will carry');
  const payments: Payment[] = [];
  for (const minor of AMOUNTS_MINOR) payments.push(await pay(stage, customer.subject, { minor, currency: 'CNY' }));
  narrator.check(`${payments.length} payments are reserved and confirmed`, payments.length === AMOUNTS_MINOR.length);
  return payments;
}

async function pay(stage: Stage, subject: string, money: Money): Promise<Payment> {
  const reference = `DEMO-${randomBytes(8).toString('hex')}`;
  const ask = {
    subject,
    service: 'checkout',
    amount: toWireMoney(money),
    mode: 'RESERVE',
    channel: stage.bankA.id,
    paymentReference: reference,
  } as const;
  const answer = await stage.checkout.decide(ask);
  if (answer.outcome !== 'ALLOW' || !answer.reservation)
    throw new Error(`payment of ${ask.amount.amount} was not allowed: ${answer.reasons.map(({ text }) => text).join('; ')}`);
  await stage.checkout.confirm(answer.reservation.id);
  return { reference, money };
}
