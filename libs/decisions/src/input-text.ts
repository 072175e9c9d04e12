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
  const held = mode === 'RESERVE' ? holdSeconds : null;
  const [to, via, reference] = [counterparty, channel, paymentReference].map(textOrNull);
  return `["${subject.uuid}",${textOrNull(service)},"${money.minor}","${money.currency}","${mode}",${to},${via},${held},${reference}]`;
}

function textOrNull(value: string | undefined): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}
