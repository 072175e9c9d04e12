import { Button, Collapse, Group, SimpleGrid, Text, TextInput, UnstyledButton } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type FormEvent, Fragment, useState } from 'react';
import type { FactView, Page } from '../../../src/api.js';
import { call, query } from '../api/client.js';
import { useParams } from '../api/router.js';
import { SealState } from '../decisions/trace-step.js';
import { Icon } from '../parts/icons.js';
import { Section } from '../parts/page.js';
import { LoadMore, Rows } from '../parts/pages.js';
import { Id, Time } from '../parts/values.js';

const FIELDS = ['id', 'kind', 'subject', 'participant', 'from', 'to'] as const;

type Filter = Readonly<Record<(typeof FIELDS)[number], string>>;

export function FactList() {
  const [params, change] = useParams();
  const filter = Object.fromEntries(FIELDS.map((name) => [name, params.get(name) ?? ''])) as Filter;
  const list = useInfiniteQuery({
    queryKey: ['facts', filter],
    queryFn: ({ pageParam }) => call<Page<FactView>>(`/facts${query({ ...inUtc(filter), before: pageParam })}`),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const filtered = Object.values(filter).some((value) => value !== '');
  return (
    <Section title="Facts">
      <Filters key={JSON.stringify(filter)} filter={filter} isUsed={filtered} onFilter={(next) => change(next)} />
      <Rows
        of={list}
        label="Loading facts"
        emptyTitle={filtered ? 'No fact fits' : 'No facts yet'}
        emptyAbout={filtered ? 'Widen the time, or clear a filter.' : 'The first thing that happens appears here.'}
      >
        {(rows) => <FactTable rows={rows} />}
      </Rows>
      <LoadMore of={list} />
    </Section>
  );
}

const inUtc = (filter: Filter): Filter => ({
  ...filter,
  from: filter.from && `${filter.from}:00.000Z`,
  to: filter.to && `${filter.to}:00.000Z`,
});

interface FiltersProps {
  readonly filter: Filter;
  readonly isUsed: boolean;
  onFilter(next: Partial<Filter>): void;
}

/** On a phone they open when they are wanted: six fields would stand before the first fact. */
function Filters({ filter, isUsed, onFilter }: FiltersProps) {
  const [open, setOpen] = useState(isUsed);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onFilter(Object.fromEntries(FIELDS.map((name) => [name, String(form.get(name) ?? '').trim()])));
  };
  const plain = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false, maxLength: 80 } as const;
  return (
    <form onSubmit={submit} role="search" aria-label="Search facts" className={open ? 'filters' : 'filters closed'}>
      <Button
        variant="default"
        size="xs"
        mb="md"
        hiddenFrom="sm"
        aria-expanded={open}
        leftSection={<Icon name="search" size={15} />}
        onClick={() => setOpen(!open)}
      >
        {open ? 'Hide the search' : 'Search'}
      </Button>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm" mb="sm">
        <TextInput label="Kind" name="kind" placeholder="record.accepted" defaultValue={filter.kind} {...plain} />
        <TextInput label="Subject" name="subject" placeholder="sub_…" defaultValue={filter.subject} {...plain} />
        <TextInput label="Participant" name="participant" placeholder="alfa-bank" defaultValue={filter.participant} {...plain} />
        <TextInput label="Fact" name="id" placeholder="fct_…" defaultValue={filter.id} {...plain} />
        <TextInput label="From (UTC)" name="from" type="datetime-local" defaultValue={filter.from} />
        <TextInput label="To (UTC)" name="to" type="datetime-local" defaultValue={filter.to} />
      </SimpleGrid>
      <Group gap="xs" mb="lg">
        <Button type="submit" size="xs">
          Search
        </Button>
        <Button variant="default" size="xs" onClick={() => onFilter(Object.fromEntries(FIELDS.map((name) => [name, ''])))}>
          Clear
        </Button>
      </Group>
    </form>
  );
}

function FactTable({ rows }: { rows: readonly FactView[] }) {
  const [open, setOpen] = useState<string | undefined>();
  return (
    <table className="table brief facts">
      <thead>
        <tr>
          <th scope="col">Time (UTC)</th>
          <th scope="col">Kind</th>
          <th scope="col">About</th>
          <th scope="col">Fact</th>
          <th scope="col">Sealed</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((fact) => (
          <Fragment key={fact.id}>
            <FactRow fact={fact} open={open === fact.id} onToggle={() => setOpen(open === fact.id ? undefined : fact.id)} />
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function FactRow({ fact, open, onToggle }: { fact: FactView; open: boolean; onToggle: () => void }) {
  return (
    <>
      <tr>
        <td data-label="Time (UTC)">
          <Time at={fact.at} bare />
        </td>
        <td data-label="Kind">
          <UnstyledButton onClick={onToggle} aria-expanded={open} className="disclose">
            <span aria-hidden="true">{open ? '▾' : '▸'}&nbsp;</span>
            <span className="mono">{fact.kind}</span>
          </UnstyledButton>
        </td>
        <td data-label="About">
          <About fact={fact} />
        </td>
        <td data-label="Fact">
          <Id value={fact.id} />
        </td>
        <td data-label="Sealed">
          <Text size="xs" component="span">
            <SealState logIndex={fact.logIndex} />
          </Text>
        </td>
      </tr>
      {open && (
        <tr className="fact-body">
          <td colSpan={5} data-label="" className="wide">
            <Text size="sm" hiddenFrom="sm">
              <Id value={fact.id} />
            </Text>
            <Collapse expanded={open}>
              <pre className="body-json">{JSON.stringify(fact.body, null, 2)}</pre>
            </Collapse>
          </td>
        </tr>
      )}
    </>
  );
}

function About({ fact }: { fact: FactView }) {
  if (fact.subject !== null) return <Id value={fact.subject} to={`/decisions?id=${fact.subject}`} />;
  if (fact.participant !== null) return <>{fact.participant}</>;
  return (
    <Text size="sm" c="dimmed" span>
      —
    </Text>
  );
}
