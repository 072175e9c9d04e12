// Payments go on while decision-api is away: an allowance is reserved while it is there, spent in parts when it is not, and settled afterwards.
// Environment: as for first-decision.mjs, the token with the scope allowances:issue; TALLY_CALLER: the token's service account; TALLY_ISSUER:
// the `iss` of what this installation signs (its GATEWAY_ORIGIN).
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AllowanceSpender, DecisionClient } from '@tallystick/sdk';

const { TALLY_DECISIONS: origin, TALLY_TOKEN: token, TALLY_SUBJECT: subject, TALLY_CALLER: holder, TALLY_ISSUER: issuer } = process.env;
const client = new DecisionClient({ origin, token: () => token });
const yuan = (amount) => ({ amount, currency: 'CNY' });

// While it can be asked: 100 yuan, at most 5 parts, for five minutes. This is a decision: every limit and restriction has its say now.
const issued = await client.issueAllowance({ subject, service: 'checkout', amount: yuan('100.00'), spends: 5, seconds: 300 }, randomUUID());
console.log(issued.decision.outcome, issued.allowance.amount.amount, 'in', issued.allowance.spendsMax, 'parts');

// While it cannot: nothing below this line needs a network. The file must survive you; here it is a temporary one.
const folder = mkdtempSync(path.join(tmpdir(), 'allowance-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
const file = path.join(folder, `${issued.allowance.allowanceId}.tally`);
const spender = await AllowanceSpender.open({ token: issued.token, keys: await client.keys(), issuer, holder, file });
const reference = `OUTAGE-${randomUUID().slice(0, 8)}`;
for (const [amount, name] of [
  ['60.00', `${reference}-1`],
  ['60.00', `${reference}-2`],
  ['40.00', `${reference}-3`],
]) {
  const { outcome, code = '', left } = await spender.spend(yuan(amount), name);
  console.log(amount, outcome, code || `${left.amount.amount} left`);
}

// When it is back: every part is told once, however often this is repeated, and the rest is free again.
for (const { result } of await spender.settle(client, { close: true })) console.log(result);
const { state, spent } = await client.allowance(spender.allowanceId);
console.log(state, spent.amount);
await spender.close();
await client.close();
