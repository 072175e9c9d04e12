import { Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { RunPageView, RunView } from '../../../src/api.js';
import { call, query } from '../api/client.js';
import { useParams } from '../api/router.js';
import { ListFilters } from '../parts/list-filters.js';
import { Section } from '../parts/page.js';
import { LoadMore, Rows } from '../parts/pages.js';
import { ago, count, Id, StateBadge, Time } from '../parts/values.js';
import { breakText } from './break-words.js';

const STATES = [
  { value: 'BROKEN', label: 'Broken' },
  { value: 'BALANCED', label: 'Balanced' },
  { value: 'UNDER_WAY', label: 'Under way' },
];

/** Every statement file, the newest first. */
export function RunList() {
  const [params] = useParams();
  const filter = { state: params.get('state') ?? '', participant: params.get('participant') ?? '' };
  const list = useInfiniteQuery({
    queryKey: ['reconciliations', filter],
    queryFn: ({ pageParam }) => call<RunPageView>(`/reconciliations${query({ ...filter, before: pageParam })}`),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const filters = (
    <ListFilters
      choice={{ name: 'state', label: 'State', all: 'Every state', options: STATES }}
      text={{ name: 'participant', label: 'Bank', all: 'Every bank' }}
    />
  );
  const filtered = filter.state !== '' || filter.participant !== '';
  return (
    <Section title="Statements received" aside={filters}>
      <Rows
        of={list}
        label="Loading reconciliations"
        emptyTitle={filtered ? 'No statement fits these filters' : 'No statement has come yet'}
        emptyAbout={
          filtered
            ? 'Choose another state or clear the bank; a bank is named by its id.'
            : 'A bank files its camt.053 at the gateway, POST /v1/statements; what became of it appears here.'
        }
      >
        {(rows) => <RunTable rows={rows} at={list.data?.pages[0]?.at ?? ''} />}
      </Rows>
      <LoadMore of={list} />
    </Section>
  );
}

function RunTable({ rows, at }: { rows: readonly RunView[]; at: string }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Received (UTC)</th>
          <th scope="col">Bank</th>
          <th scope="col">State</th>
          <th scope="col" className="right">
            Lines
          </th>
          <th scope="col">Breaks</th>
          <th scope="col">Reconciliation</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((run) => (
          <tr key={run.id}>
            <td data-label="Received (UTC)">
              <span>
                <Time at={run.receivedAt} bare />
                <Text size="xs" c="dimmed">
                  {ago(run.receivedAt, at)}
                </Text>
              </span>
            </td>
            <td data-label="Bank">{run.participant}</td>
            <td data-label="State">
              <StateBadge state={run.state} />
            </td>
            <td data-label="Lines" className="right num">
              {linesText(run)}
            </td>
            <td data-label="Breaks">
              <span>{breaksText(run)}</span>
            </td>
            <td data-label="Reconciliation">
              <Id value={run.id} to={`/reconciliations?id=${run.id}`} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function linesText({ closedAt, lines }: RunView): string {
  return closedAt === null ? `${count(lines.matched)} of ${count(lines.total)}` : count(lines.total);
}

/** Every kind with its number; and what else keeps a file from being balanced. */
export function breaksText({ closedAt, counts, untied }: RunView): string {
  if (closedAt === null) return 'not matched to its end yet';
  const kinds = Object.entries(counts).filter(([kind, found]) => kind !== 'MATCHED' && found > 0);
  const parts = kinds.map(([kind, found]) => `${count(found)} ${breakText(kind)}`);
  if (untied > 0) parts.push('control totals do not tie');
  return parts.length === 0 ? 'none' : parts.join(', ');
}
