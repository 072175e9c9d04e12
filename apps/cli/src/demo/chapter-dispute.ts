import { signRecord } from '#sdk';
import { type Customer, recordHead, takeEvents } from './chapter-records.js';
import type { ReportedViolation } from './chapter-violation.js';
import type { Narrator } from './narrator.js';
import type { Stage } from './stage.js';

/** The customer disputes the violation, bank B hears and takes it back, bank A is told, and the decision that was denied for it is decided again. */
export async function disputeViolation(stage: Stage, narrator: Narrator, customer: Customer, reported: ReportedViolation): Promise<void> {
  narrator.chapter('The customer disputes what bank B reported');
  const { bankA, bankB, checkout } = stage;
  const dispute = await checkout.dispute(customer.subject, { issuer: bankB.id, jti: reported.jti }, 'DID_NOT_HAPPEN');
  const ask = { subject: customer.subject, service: 'pay-later', amount: { amount: '10.00', currency: 'CNY' }, mode: 'RESERVE' } as const;
  const meanwhile = await checkout.decide(ask);
  narrator.check('the very next decision flags it, and still protects', meanwhile.outcome === 'DENY' && isFlagged(meanwhile), meanwhile);
  await narrator.until('bank B hears, and until when it has to answer', 10, async () =>
    (await takeEvents(bankB)).find(({ kind, body }) => kind === 'dispute.opened' && body['dispute'] === dispute.id),
  );
  narrator.say(`answer due ${dispute.dueAt.slice(0, 10)}; after that the record is removed`);

  const withdrawal = { ...recordHead(bankB, customer.refAtB, 'withdrawal'), withdrawal: { replaces: reported.jti } };
  if (stage.sabotage !== 'dispute') await bankB.client.submitRecord(await signRecord(withdrawal, bankB.key));
  const after = await checkout.decide(ask);
  narrator.check('it was a mistake: bank B withdraws it, and the very next decision is ALLOW', after.outcome === 'ALLOW', after);
  await narrator.until('bank A, which had heard of the restriction, hears that the record is withdrawn', 10, async () =>
    (await takeEvents(bankA)).find(({ kind, subject }) => kind === 'record.withdrawn' && subject === customer.refAtA),
  );
  const again = (await checkout.decideAgain(dispute.id)).find(({ id }) => id === reported.denied);
  narrator.check('the payment that was denied is named and decided again', again?.would?.outcome === 'ALLOW', again);
  narrator.say(`${again!.was.outcome}, would have been ${again!.would!.outcome}; the ledger keeps what was decided`);
}

const isFlagged = ({ restrictions }: { restrictions: readonly { disputed?: boolean }[] }) => restrictions.some(({ disputed }) => disputed);
