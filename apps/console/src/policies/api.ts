/** Versions of the policy, and what is found in a document that is being written. Types only, like api.ts. */

export type PolicyState = 'DRAFT' | 'SHADOW' | 'APPROVED' | 'ACTIVE' | 'RETIRED';

export interface PolicyView {
  readonly id: string;
  readonly version: string;
  readonly state: PolicyState;
  readonly hash: string;
  readonly author: string;
  readonly approver: string | null;
  /** Who took the other steps; null: nobody yet, or not known. */
  readonly by: Readonly<Record<'shadowed' | 'scheduled' | 'activated' | 'retired', string | null>>;
  readonly draftedAt: string;
  readonly shadowedAt: string | null;
  readonly approvedAt: string | null;
  readonly activateAt: string | null;
  readonly activatedAt: string | null;
  readonly retiredAt: string | null;
}

/** What is wrong or strange about a document, in its order. Line and column count from 1. */
export interface LintView {
  readonly findings: readonly FindingView[];
}

export interface FindingView {
  /** An error keeps the document from being drafted. */
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}
