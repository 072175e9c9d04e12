import type { ShardedId } from '#kernel';
import type { ControlTotals } from './control-totals.js';
import type { OutcomeKind } from './outcome.js';
import type { StatementHead } from './statement.js';

/** CONTRACT.md §8, up to the sign-off. BALANCED and BROKEN are final here. */
export type ReconciliationState = 'RECEIVED' | 'PARSED' | 'MATCHING' | 'BALANCED' | 'BROKEN';

/** A statement of the file with the verdict on its own figures, reached before a line of it is used. */
export interface CheckedStatement {
  readonly head: StatementHead;
  readonly totals: ControlTotals;
}

/** How far the work is. `linesTotal` is known from the first reading. */
export interface Progress {
  readonly linesTotal: number;
  readonly linesRead: number;
  readonly linesMatched: number;
}

/** One statement file of one participant and what became of it. */
export interface Reconciliation {
  /** On the participant's shard. */
  readonly id: ShardedId;
  readonly participant: string;
  /** SHA-256 of the file as received, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly receivedAt: Date;
  readonly closedAt?: Date;
  readonly state: ReconciliationState;
  readonly statements: readonly CheckedStatement[];
  readonly entries: number;
  readonly progress: Progress;
  /** How many outcomes of each kind, filled while matching. */
  readonly counts: Readonly<Partial<Record<OutcomeKind, number>>>;
}

export function isClosed(state: ReconciliationState): state is 'BALANCED' | 'BROKEN' {
  return state === 'BALANCED' || state === 'BROKEN';
}

/** BALANCED is said only of a file without a break whose every statement was proved to tie; doubt is not balance. */
export function verdictOf({ counts, statements }: Pick<Reconciliation, 'counts' | 'statements'>): 'BALANCED' | 'BROKEN' {
  const breaks = Object.entries(counts).some(([kind, count]) => kind !== 'MATCHED' && count > 0);
  return !breaks && statements.every(({ totals }) => totals.balanced === true) ? 'BALANCED' : 'BROKEN';
}
