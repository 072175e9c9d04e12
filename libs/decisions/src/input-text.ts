import type { DecisionRequest } from './decision.js';

/**
 * What the input digest is taken over: canonical JSON (RFC 8785) of subject, service, amount in minor units, currency, mode, counterparty,
 * channel, seconds of the hold and payment reference, in this order, null where absent. EVALUATE holds nothing, so its seconds are null.
 */
export function inputText({
  subject,
  service,
  money,
  mode,
  counterparty,
  channel,
  holdSeconds,
  paymentReference,
}: DecisionRequest): string {
  const held = mode === 'RESERVE' ? holdSeconds : undefined;
  return JSON.stringify([
    subject.uuid,
    service,
    money.minor.toString(),
    money.currency,
    mode,
    counterparty,
    channel,
    held,
    paymentReference,
  ]);
}
