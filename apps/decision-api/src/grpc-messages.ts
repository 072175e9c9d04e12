import type { DecisionAnswer, ItemProblem } from '#contract';
import type { Decided } from '#decisions';

/** A decision request as the protocol buffer decodes: unset fields are absent, a 64-bit tag is a decimal string. */
export interface GrpcDecisionRequest {
  readonly subject?: string;
  readonly service?: string;
  readonly amount?: { readonly amount?: string; readonly currency?: string };
  readonly mode?: string;
  readonly idempotencyKey?: string;
  readonly counterparty?: string;
  readonly channel?: string;
  readonly holdSeconds?: number;
  readonly paymentReference?: string;
  readonly tag?: string;
}

export interface GrpcAnswer extends DecisionAnswer {
  readonly idempotencyHit: boolean;
}

export type GrpcResult = { readonly tag: string; readonly answer: GrpcAnswer } | { readonly tag: string; readonly problem: ItemProblem };

/** The request in the words of HTTP: one parser reads both. */
export function wireOf(message: GrpcDecisionRequest): object {
  const { subject, service, amount, mode, counterparty, channel, holdSeconds, paymentReference } = message;
  return { subject, service, amount, mode, counterparty, channel, holdSeconds, paymentReference };
}

export function keyOfMessage({ idempotencyKey }: GrpcDecisionRequest): string | undefined {
  return idempotencyKey === '' ? undefined : idempotencyKey;
}

export function toAnswerMessage({ answer, replayed }: Decided): GrpcAnswer {
  return { ...answer, idempotencyHit: replayed };
}
