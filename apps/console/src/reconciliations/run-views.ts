import { formatId, toWireMoney } from '#kernel';
import type { OutcomeView, Reconciliation } from '#reconciliation';
import type { BreakView, RunFileView, RunView } from '../api.js';

export function viewRun({ id, participant, state, receivedAt, closedAt, progress, counts, statements }: Reconciliation): RunView {
  return {
    id: formatId('rec', id),
    participant,
    state,
    receivedAt: receivedAt.toISOString(),
    closedAt: closedAt?.toISOString() ?? null,
    lines: { total: progress.linesTotal, read: progress.linesRead, matched: progress.linesMatched },
    counts,
    statements: statements.length,
    untied: statements.filter(({ totals }) => totals.balanced !== true).length,
  };
}

export function viewFile(run: Reconciliation): Omit<RunFileView, 'at'> {
  const { digest, sizeBytes, entries, statements } = run;
  return {
    run: viewRun(run),
    file: { digest, sizeBytes, entries },
    statements: statements.map(({ head, totals: { balanced, reason } }) => ({
      id: head.id,
      account: head.account ?? null,
      balanced: balanced ?? null,
      reason,
    })),
  };
}

export function viewBreak({ n, kind, reason, line, payment }: OutcomeView, foundIn: string | null): BreakView {
  return {
    n,
    kind,
    reason,
    theirs: line
      ? { money: toWireMoney(line.money), direction: line.direction, fileLine: line.fileLine, bookedOn: line.bookedOn?.day ?? null }
      : null,
    ours: payment ? { money: toWireMoney(payment.money), confirmedAt: payment.confirmedAt.toISOString() } : null,
    reference: payment?.paymentReference ?? line?.endToEndId ?? null,
    decision: payment ? formatId('dec', payment.decision) : null,
    foundIn,
  };
}
