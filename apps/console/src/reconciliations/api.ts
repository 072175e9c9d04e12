/** What the console's API answers about reconciliations; see `../api.ts`. */

export type RunState = 'RECEIVED' | 'PARSED' | 'MATCHING' | 'BALANCED' | 'BROKEN';

/** Runs that a list can be narrowed to; `UNDER_WAY`: not closed yet. */
export type RunFilter = 'UNDER_WAY' | 'BROKEN' | 'BALANCED';

interface MoneyView {
  readonly amount: string;
  readonly currency: string;
}

/** One statement file and how far its reconciliation is. Names no subject. */
export interface RunView {
  readonly id: string;
  readonly participant: string;
  readonly state: RunState;
  readonly receivedAt: string;
  readonly closedAt: string | null;
  readonly lines: { readonly total: number; readonly read: number; readonly matched: number };
  /** How many outcomes of each kind, known when it is closed; `MATCHED` is no break. */
  readonly counts: Readonly<Record<string, number>>;
  readonly statements: number;
  /** Statements of the file that were not proved to tie with their own control totals. */
  readonly untied: number;
}

/** A page of runs, newest first; `next` continues it, null: that was all. */
export interface RunPageView {
  readonly at: string;
  readonly rows: readonly RunView[];
  readonly next: string | null;
}

export interface RunFileView {
  readonly at: string;
  readonly run: RunView;
  readonly file: { readonly digest: string; readonly sizeBytes: number; readonly entries: number };
  readonly statements: readonly {
    readonly id: string;
    readonly account: string | null;
    /** null: it cannot be computed. */
    readonly balanced: boolean | null;
    readonly reason: string;
  }[];
}

/** A difference between a line of theirs and a payment of ours, or one of the two alone. */
export interface BreakView {
  readonly n: number;
  readonly kind: string;
  readonly reason: string;
  readonly theirs: {
    readonly money: MoneyView;
    readonly direction: string;
    readonly fileLine: number;
    readonly bookedOn: string | null;
  } | null;
  readonly ours: { readonly money: MoneyView; readonly confirmedAt: string } | null;
  /** The payment's own reference where there is one, else what the line bears; null: neither. */
  readonly reference: string | null;
  /** The decision whose payment it is; null: no payment of ours. */
  readonly decision: string | null;
  /** The reconciliation in which the missing payment was found since. */
  readonly foundIn: string | null;
}

export interface BreakPageView {
  readonly rows: readonly BreakView[];
  readonly next: string | null;
}
