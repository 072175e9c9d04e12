import type { Fact } from '#kernel';
import type { Reconciliation } from './reconciliation.js';
import type { Closing, NewReconciliation } from './store.js';

/** Facts of this room. They name the file by its digest and hold counts: no reference, name or amount of a person. */
export function statementReceived({ id, participant, digest, sizeBytes, entries, statements }: NewReconciliation): Fact {
  return {
    shard: id.shard,
    kind: 'statement.received',
    participant,
    body: { reconciliation: id.uuid, digest, sizeBytes, statements: statements.length, entries },
  };
}

export function reconciliationClosed({ id, participant, digest, statements }: Reconciliation, { state, counts }: Closing): Fact {
  const tied = statements.filter(({ totals }) => totals.balanced === true).length;
  return {
    shard: id.shard,
    kind: state === 'BALANCED' ? 'reconciliation.balanced' : 'reconciliation.broken',
    participant,
    body: { reconciliation: id.uuid, digest, statements: statements.length, statementsTied: tied, counts: { ...counts } },
  };
}
