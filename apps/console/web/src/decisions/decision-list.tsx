import { Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { DecisionRow, Page } from '../../../src/api.js';
import { call, query } from '../api/client.js';
import { useParams } from '../api/router.js';
import { ListFilters } from '../parts/list-filters.js';
import { Section } from '../parts/page.js';
import { LoadMore, Rows } from '../parts/pages.js';
import { Id, money, OutcomeBadge, OUTCOMES, StateBadge, Time } from '../parts/values.js';

export function DecisionList() {
  const [params] = useParams();
  const filter = { outcome: params.get('outcome') ?? '', service: params.get('service') ?? '' };
  const list = useInfiniteQuery({
    queryKey: ['decisions', filter],
    queryFn: ({ pageParam }) => call<Page<DecisionRow>>(`/decisions${query({ ...filter, before: pageParam })}`),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const filters = (
    <ListFilters
      choice={{ name: 'outcome', label: 'Outcome', all: 'Every outcome', options: OUTCOMES }}
      text={{ name: 'service', label: 'Service', all: 'Every service' }}
    />
  );
  const filtered = filter.outcome !== '' || filter.service !== '';
  return (
    <Section title="Recent decisions" aside={filters}>
      <Rows
        of={list}
        label="Loading decisions"
        emptyTitle={filtered ? 'No decision fits these filters' : 'No decisions yet'}
        emptyAbout={filtered ? 'Choose another outcome or clear the service.' : 'The first answer given by the decision API appears here.'}
      >
        {(rows) => <DecisionTable rows={rows} />}
      </Rows>
      <LoadMore of={list} />
    </Section>
  );
}

function DecisionTable({ rows }: { rows: readonly DecisionRow[] }) {
  return (
    <table className="table brief decisions">
      <thead>
        <tr>
          <th scope="col">Time (UTC)</th>
          <th scope="col">Outcome</th>
          <th scope="col">Service</th>
          <th scope="col" className="right">
            Amount
          </th>
          <th scope="col">Reason</th>
          <th scope="col">Reservation</th>
          <th scope="col">Decision</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <td data-label="Time (UTC)">
              <Time at={row.at} bare />
            </td>
            <td data-label="Outcome">
              <OutcomeBadge outcome={row.outcome} />
            </td>
            <td data-label="Service">{row.service}</td>
            <td data-label="Amount" className="right num">
              {money(row.money.amount, row.money.currency)}
            </td>
            <td data-label="Reason" className={row.outcome === 'ALLOW' || row.reservationState !== null ? 'wide spare' : 'wide'}>
              <span>
                {row.reasons[0] ?? '—'}
                {row.reasons.length > 1 && ` +${row.reasons.length - 1}`}
              </span>
            </td>
            <td data-label="Reservation">
              {row.reservationState === null ? (
                <Text size="sm" c="dimmed" span visibleFrom="sm">
                  —
                </Text>
              ) : (
                <StateBadge state={row.reservationState} />
              )}
            </td>
            <td data-label="Decision">
              <Id value={row.id} to={`/decisions?id=${row.id}`} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
