import { holdSecondsDefault, type WireDecisionRequest } from '#contract';
import { parseId, parseMoney } from '#kernel';
import type { DecisionRequest } from './decision.js';

/** Reads ids and money of a request. Refuses `id.malformed` and what `parseMoney` refuses. */
export function readDecisionRequest(wire: WireDecisionRequest): DecisionRequest {
  return {
    subject: parseId('sub', wire.subject, '/subject'),
    service: wire.service,
    money: parseMoney(wire.amount, '/amount/amount'),
    mode: wire.mode,
    counterparty: wire.counterparty,
    channel: wire.channel,
    holdSeconds: wire.holdSeconds ?? holdSecondsDefault,
    paymentReference: wire.paymentReference,
  };
}
