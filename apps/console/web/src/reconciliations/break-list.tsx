import { Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { BreakPageView, BreakView, RunView } from '../../../src/api.js';
import { call, query } from '../api/client.js';
import { Link } from '../api/router.js';
import { LoadMore, Rows } from '../parts/pages.js';
import { ago, Id, money } from '../parts/values.js';
import { breakText } from './break-words.js';

/** What disagrees, in the order of the file, each with the way to the payment it is about. */
export function BreakList({ run, at }: { run: RunView; at: string }) {
  const list = useInfiniteQuery({
    queryKey: ['breaks', run.id],
    queryFn: ({ pageParam }) => call<BreakPageView>(`/reconciliations/${run.id}/breaks${query({ after: pageParam })}`),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  return (
    <>
      <Rows
        of={list}
        label="Loading breaks"
        emptyTitle={run.closedAt === null ? 'No break so far' : 'Nothing disagrees'}
        emptyAbout={
          run.closedAt === null
            ? 'The statement is still being matched; reload the page for what was found since.'
            : 'Every line of the statement has its payment, and every payment of that time its line.'
        }
      >
        {(rows) => <BreakTable rows={rows} since={ago(run.receivedAt, at)} />}
      </Rows>
      <LoadMore of={list} more="Show more" />
    </>
  );
}

function BreakTable({ rows, since }: { rows: readonly BreakView[]; since: string }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">What disagrees</th>
          <th scope="col">Line of the file</th>
          <th scope="col" className="right">
            Theirs
          </th>
          <th scope="col" className="right">
            Ours
          </th>
          <th scope="col">Open since</th>
          <th scope="col">Payment</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={one.n}>
            <td data-label="What disagrees" className="wide">
              <Text size="sm" fw={600}>
                {breakText(one.kind)}
              </Text>
              <Text size="xs" c="dimmed">
                {one.reason}
              </Text>
            </td>
            <td data-label="Line of the file">
              {one.theirs ? `${one.theirs.fileLine}${one.theirs.bookedOn === null ? '' : `, booked ${one.theirs.bookedOn}`}` : '—'}
            </td>
            <td data-label="Theirs" className="right num">
              {one.theirs ? money(one.theirs.money.amount, one.theirs.money.currency) : '—'}
              {one.theirs?.direction === 'DBIT' && ', debit'}
            </td>
            <td data-label="Ours" className="right num">
              {one.ours ? money(one.ours.money.amount, one.ours.money.currency) : '—'}
            </td>
            <td data-label="Open since">
              {one.foundIn === null ? since : <Link to={`/reconciliations?id=${one.foundIn}`}>found later</Link>}
            </td>
            <td data-label="Payment">
              <Payment of={one} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A payment of ours leads to its trace. A reference that only the bank knows leads nowhere: it is to be asked there. */
function Payment({ of: { decision, reference } }: { of: BreakView }) {
  if (reference === null) return <>no reference</>;
  return decision === null ? <Id value={reference} /> : <Id value={reference} to={`/decisions?id=${decision}`} />;
}
