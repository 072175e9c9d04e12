import { formatId, toWireMoney } from '#kernel';
import type { OutcomeView, Reconciliation } from '#reconciliation';

/** A reconciliation as its sender sees it. `breaks` and `matches` are pages; `next` says where the following ones start. */
export function viewReconciliation(reconciliation: Reconciliation): Record<string, unknown> {
  const { id, state, receivedAt, closedAt, digest, sizeBytes, entries, progress, counts, statements } = reconciliation;
  return {
    id: formatId('rec', id),
    state,
    receivedAt: receivedAt.toISOString(),
    ...(closedAt ? { closedAt: closedAt.toISOString() } : {}),
    file: { digest: `sha-256=${digest}`, sizeBytes, entries },
    progress,
    counts,
    statements: statements.map(({ head, totals }) => ({
      id: head.id,
      ...(head.account === undefined ? {} : { account: head.account }),
      controlTotals: { balanced: totals.balanced ?? null, reason: totals.reason },
    })),
  };
}

export interface OutcomePage {
  readonly rows: readonly OutcomeView[];
  readonly pageSize: number;
}

export function viewPages(breaks: OutcomePage, matches: OutcomePage): Record<string, unknown> {
  const next = { ...nextOf('breaksAfter', breaks), ...nextOf('matchesAfter', matches) };
  return {
    breaks: breaks.rows.map(viewOutcome),
    matches: matches.rows.map(viewOutcome),
    ...(Object.keys(next).length > 0 ? { next } : {}),
  };
}

/** `theirs` is what the statement says, `ours` what was confirmed. `reference` is ours where a payment was found. */
function viewOutcome({ n, kind, reason, identifiedBy, line, payment }: OutcomeView): Record<string, unknown> {
  return {
    n,
    type: kind,
    reference: payment?.paymentReference ?? line?.endToEndId ?? null,
    reason,
    ...(identifiedBy === undefined ? {} : { identifiedBy }),
    ...(line
      ? {
          theirs: {
            ...toWireMoney(line.money),
            direction: line.direction,
            fileLine: line.fileLine,
            ...(line.bookedOn ? { bookedOn: line.bookedOn.day } : {}),
          },
        }
      : {}),
    ...(payment ? { ours: { ...toWireMoney(payment.money), confirmedAt: payment.confirmedAt.toISOString() } } : {}),
  };
}

function nextOf(name: string, { rows, pageSize }: OutcomePage): Record<string, number> {
  const last = rows.at(-1);
  return last && rows.length === pageSize ? { [name]: last.n } : {};
}
