import type { DecisionAnswer, DecisionLimit } from '#contract';
import type { DecisionDetails } from './details.js';
import { isShared, optionalText, partText } from './shared-json.js';

/*
 * Details and answers as JSON, field by field. Both are written with every decision, most of their parts are shared by thousands, and amounts,
 * times and ids need no escaping: `JSON.stringify` of the whole took a sixth of decision-api's time (2026-11-22). The spec holds both to what
 * it writes, to the letter.
 */

/** The canonical JSON (RFC 8785) of details: what is kept and committed to. */
export function detailsText(told: DecisionDetails): string {
  const { amount, computed, currency, discount, enforced, holdSeconds, kind, mode, outcome } = told;
  return (
    `{"amount":"${amount}","caps":${partText(told.caps)}${optionalText('channel', told.channel)},"computed":"${computed}"` +
    `${optionalText('counterparty', told.counterparty)},"currency":"${currency}"` +
    (discount === undefined
      ? ''
      : `,"discount":{"minor":"${discount.minor}"${optionalText('rate', discount.rate)}${optionalText('rule', discount.rule)}}`) +
    `,"enforced":${enforced},"factors":${partText(told.factors)}` +
    (holdSeconds === undefined ? '' : `,"holdSeconds":${holdSeconds}`) +
    (kind === undefined ? '' : `,"kind":"${kind}"`) +
    `,"mode":"${mode}","outcome":"${outcome}"${optionalText('paymentReference', told.paymentReference)},"policy":${partText(told.policy)}` +
    `,"reasons":${partText(told.reasons)},"restrictions":${partText(told.restrictions)},"score":${partText(told.score)}` +
    `${optionalText('service', told.service)}${optionalText('tier', told.tier)},"transactionLimits":${partText(told.transactionLimits)}}`
  );
}

/** What the caller over HTTP is told. */
export function answerText(answer: DecisionAnswer): string {
  const { decisionId, outcome, computedOutcome, discount, reservation, factors } = answer;
  return (
    (decisionId === undefined ? '{' : `{"decisionId":"${decisionId}",`) +
    `"outcome":"${outcome}","computedOutcome":"${computedOutcome}","reasons":${partText(answer.reasons)}${optionalText('tier', answer.tier)}` +
    `,"score":${partText(answer.score)},"policy":${partText(answer.policy)},"limits":[${answer.limits.map(limitText).join(',')}]` +
    (discount === undefined ? '' : `,"discount":${JSON.stringify(discount)}`) +
    `,"restrictions":${partText(answer.restrictions)}` +
    (factors === undefined ? '' : `,"factors":${partText(factors)}`) +
    (reservation === undefined ? '' : `,"reservation":{"id":"${reservation.id}","expiresAt":"${reservation.expiresAt}"}`) +
    `,"decidedAt":"${answer.decidedAt}"}`
  );
}

function limitText(told: DecisionLimit): string {
  if (isShared(told)) return partText(told);
  const { id, window, limit, used, reserved, available, count, resetAt } = told;
  return (
    `{"id":${JSON.stringify(id)},"window":"${window}"${limit === undefined ? '' : `,"limit":"${limit}"`},"used":"${used}","reserved":"${reserved}"` +
    (available === undefined ? '' : `,"available":"${available}"`) +
    (count === undefined ? '' : `,"count":{"limit":${count.limit},"taken":${count.taken},"available":${count.available}}`) +
    (resetAt === undefined ? '}' : `,"resetAt":"${resetAt}"}`)
  );
}
