// One payment: ask and hold, confirm, keep a receipt that needs nobody to be believed.
// Environment: TALLY_DECISIONS, TALLY_TOKEN, TALLY_SUBJECT (as in .tallystick/try.env).
import { randomUUID } from 'node:crypto';
import { DecisionClient, ProblemError, verifyDecisionReceipt } from '@tallystick/sdk';

const { TALLY_DECISIONS: origin, TALLY_TOKEN: token, TALLY_SUBJECT: subject } = process.env;
const client = new DecisionClient({ origin, token: () => token });

// The key names this payment: keep it with your order. After a crash of yours, the same key and ask give the same answer.
const key = randomUUID();
const ask = { subject, service: 'checkout', amount: { amount: '20.00', currency: 'CNY' }, paymentReference: `ORDER-${key.slice(0, 8)}` };
const { answer } = await client.reserve(ask, key);
console.log(answer.outcome, answer.reasons.map(({ code }) => code).join(' '), answer.discount?.amount ?? 'no discount');

if (answer.outcome === 'ALLOW') {
  const { state, confirmed } = await client.confirm(answer.reservation.id);
  console.log(state, confirmed.amount);
  const receipt = await client.receipt(answer.decisionId);
  const { value } = await verifyDecisionReceipt(receipt, await client.keys());
  console.log('receipt of', value.jti === answer.decisionId ? 'this decision' : 'another one');
}

// A refusal has a code to program against.
await client.evaluate({ ...ask, service: 'no-such-service' }).catch((error) => {
  console.log(error instanceof ProblemError ? error.code : error);
});
await client.close();
