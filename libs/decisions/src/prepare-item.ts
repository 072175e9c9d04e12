import { evaluate, type Policy } from '#policies';
import type { Standing } from '#standing';
import type { DecisionSources } from './decide.js';
import type { DecisionAsk, DecisionItem } from './decision.js';
import { detailsText } from './decision-text.js';
import { type DecisionDetails, detailsOf, holds } from './details.js';

/** What a request is judged by. */
export interface Known {
  readonly policy: Policy;
  readonly standing: Standing;
  readonly at: Date;
}

export interface Prepared {
  readonly item: DecisionItem;
  readonly details: DecisionDetails;
}

/** Evaluates a request and makes it ready for the ledger. Refuses what `evaluate` refuses. */
export function prepareItem(ask: DecisionAsk, digest: Uint8Array, { policy, standing, at }: Known, sources: DecisionSources): Prepared {
  const { request } = ask;
  const evaluation = evaluate(standing, policy, request, at);
  const details = detailsOf(request, evaluation, policy, standing);
  const item: DecisionItem = {
    decision: sources.newDecisionId(request.subject, at),
    ask,
    digest,
    evaluation,
    policyVersion: policy.version,
    standingVersion: standing.version,
    holdSeconds: holds(details, evaluation.outcome) ? request.holdSeconds : undefined,
    salt: sources.newSalt(),
    details: detailsText(details),
  };
  return { item, details };
}

const NO_DIGEST = new Uint8Array();

/** The same for an EVALUATE that only looks, without what a row would need. Undefined where the answer is adverse, and so recorded. */
export function prepareLook(ask: DecisionAsk, { policy, standing, at }: Known): Prepared | undefined {
  const { request } = ask;
  const evaluation = evaluate(standing, policy, request, at);
  if (evaluation.computedOutcome !== 'ALLOW') return undefined;
  const item: DecisionItem = {
    decision: request.subject,
    ask,
    digest: NO_DIGEST,
    evaluation,
    policyVersion: policy.version,
    standingVersion: standing.version,
    holdSeconds: undefined,
    salt: '',
    details: '',
  };
  return { item, details: detailsOf(request, evaluation, policy, standing) };
}
