import { invariant, parseId, type ShardedId } from '#kernel';
import type { Outcome } from '#contract';
import type { Decider } from './decide.js';
import type { DecisionRequest } from './decision.js';
import type { Decided } from './decision-row.js';

/** A yes that a service gave on its own, bounded by its SDK, while it had no answer from us. */
export interface OpenAnswer {
  readonly caller: string;
  readonly key: string;
  readonly request: DecisionRequest;
  readonly answeredAt: Date;
}

/** As it is kept, once per subject, caller and key. */
export interface OpenAnswerRow {
  readonly subject: ShardedId;
  readonly caller: string;
  readonly key: string;
  readonly decision: ShardedId;
  readonly service: string;
  /** What the decision says: DENY or REVIEW means that the yes was one we would not have given. */
  readonly outcome: Outcome;
  readonly answeredAt: Date;
}

export interface OpenAnswerStore {
  /** The first report of a key stands; a repetition changes nothing. */
  note(row: OpenAnswerRow): Promise<void>;
}

/** Takes reports of open answers: decides each under its own key (or finds what was decided before the answer was lost), and keeps that it happened. */
export class OpenAnswers {
  constructor(
    private readonly decider: Decider,
    private readonly store: OpenAnswerStore,
  ) {}

  /** Refuses what `decide` refuses. */
  async report({ caller, key, request, answeredAt }: OpenAnswer): Promise<Decided> {
    const decided = await this.decider.decide({ caller, key, request });
    const { decisionId, outcome } = decided.answer;
    invariant(decisionId, 'RESERVE leaves a decision');
    const { subject, service } = request;
    await this.store.note({ subject, caller, key, service, outcome, answeredAt, decision: parseId('dec', decisionId) });
    return decided;
  }
}
