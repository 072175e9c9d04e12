import type { DecisionLimit, DecisionReason, ItemProblem, Outcome } from '#contract';

export type { ItemProblem };

/** `GET /v1/subjects/{id}/headroom`. */
export interface HeadroomAnswer {
  readonly tier: string;
  readonly score: { readonly value: number; readonly version: string };
  readonly policy: { readonly id: string; readonly version: string; readonly hash: string };
  readonly services: readonly {
    readonly service: string;
    readonly mode: string;
    /** What the smallest amount would be answered, counters aside. */
    readonly outcome: Outcome;
    readonly reasons: readonly DecisionReason[];
    readonly limits: readonly DecisionLimit[];
  }[];
  readonly at: string;
}
