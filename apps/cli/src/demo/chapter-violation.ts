import { signRecord } from '#sdk';
import { type Customer, recordHead, takeEvents } from './chapter-records.js';
import type { Narrator } from './narrator.js';
import type { Stage } from './stage.js';

export interface ReportedViolation {
  readonly jti: string;
  /** The decision that was denied for it. */
  readonly denied: string;
}

/** Bank B reports a violation: the next decision is DENY with that reason, and bank A hears of it. */
export async function reportViolation(stage: Stage, narrator: Narrator, customer: Customer): Promise<ReportedViolation> {
  narrator.chapter('Bank B reports a violation');
  const { bankA, bankB, checkout } = stage;
  const violation = {
    ...recordHead(bankB, customer.refAtB, 'violation'),
    violation: { code: 'FRAUD_CONFIRMED', severity: 'SEVERE', evidenceDigest: 'a'.repeat(64), occurredAt: new Date().toISOString() },
  };
  await bankB.client.submitRecord(await signRecord(violation, bankB.key));
  if (stage.sabotage === 'violation') {
    const clearance = { ...recordHead(bankB, customer.refAtB, 'clearance'), clearance: { clears: violation.jti } };
    await bankB.client.submitRecord(await signRecord(clearance, bankB.key));
  }
  const amount = { amount: '10.00', currency: 'CNY' };
  const denied = await checkout.decide({ subject: customer.subject, service: 'pay-later', amount, mode: 'RESERVE' });
  narrator.check('the very next decision is DENY', denied.outcome === 'DENY', denied);
  const reason = denied.reasons.find(({ code }) => code.includes('restriction'));
  narrator.check('and says why', reason !== undefined, denied.reasons);
  narrator.say(`reason: ${reason!.text}`);
  const appeal = await checkout.appeal(customer.subject, denied.restrictions[0]!.id);
  narrator.check('the customer appeals, and is told until when it is answered', Date.parse(appeal.dueAt) > Date.now(), appeal);
  await narrator.until('bank A hears of the restriction', 10, async () => {
    const events = await takeEvents(bankA);
    return events.find((event) => event.kind === 'restriction.imposed' && event.subject === customer.refAtA);
  });
  return { jti: violation.jti, denied: denied.decisionId };
}
