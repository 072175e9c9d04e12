import { Badge, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { CellView, ChangesView, PairView, TallyView, WouldBe } from '../../../src/api.js';
import { groupDigits } from '../../../src/group-digits.js';
import { count, Id, money, OutcomeBadge, OUTCOMES } from '../parts/values.js';

/** What deciding again under another policy found. */
export function Tally({ found, notes }: { found: TallyView; notes: readonly string[] }) {
  return (
    <Stack gap="lg">
      <Headline found={found} />
      <Block title="Was, and would be">
        <MatrixTable cells={found.matrix} currency={found.currency} />
      </Block>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Block title="Changes by tier">
          <Changes groups={found.byTier} currency={found.currency} />
        </Block>
        <Block title="Changes by amount">
          <Changes groups={found.byBand} currency={found.currency} />
        </Block>
        <Block title="Reasons, then and under this version">
          <Pairs pairs={found.reasons} what="Reason" />
        </Block>
        <Block title="Limits without room">
          <Pairs pairs={found.limits} what="Limit" />
        </Block>
      </SimpleGrid>
      {found.examples.length > 0 && (
        <Block title="Examples, the largest of each change">
          <Examples found={found} />
        </Block>
      )}
      <Block title="Assumptions">
        <ul>
          {notes.map((note) => (
            <li key={note}>
              <Text size="sm">{note}</Text>
            </li>
          ))}
        </ul>
      </Block>
    </Stack>
  );
}

function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <Title order={3} size="h6" mb={6}>
        {title}
      </Title>
      {children}
    </div>
  );
}

function Headline({ found }: { found: TallyView }) {
  const { decisions, differing, discount, assumed, currency } = found;
  const share = decisions.count === 0 ? 0 : (100 * differing.outcome) / decisions.count;
  return (
    <Group gap="xl">
      <Figure label="Decisions" value={count(decisions.count)} about={money(decisions.amount, currency)} />
      <Figure label="Other outcome" value={count(differing.outcome)} about={`${share.toFixed(2)} %`} />
      <Figure
        label="Other discount"
        value={count(differing.discount)}
        about={`${groupDigits(discount.was)} → ${money(discount.would, currency)}`}
      />
      <Figure label="Other reasons" value={count(differing.reasons)} about={`${count(differing.computed)} computed differently`} />
      {assumed.count > 0 && <Figure label="Rest on an assumption" value={count(assumed.count)} about={money(assumed.amount, currency)} />}
    </Group>
  );
}

function Figure({ label, value, about }: { label: string; value: string; about: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="lg" fw={650} className="num">
        {value}
      </Text>
      <Text size="xs" c="dimmed" className="num">
        {about}
      </Text>
    </div>
  );
}

function MatrixTable({ cells, currency }: { cells: readonly CellView[]; currency: string }) {
  const columns: readonly WouldBe[] = cells.some(({ would }) => would === 'REFUSED') ? [...OUTCOMES, 'REFUSED'] : OUTCOMES;
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Was</th>
          {columns.map((would) => (
            <th key={would} scope="col" className="right">
              would be {would}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {OUTCOMES.map((was) => (
          <tr key={was}>
            <td data-label="Was">
              <OutcomeBadge outcome={was} />
            </td>
            {columns.map((would) => {
              const cell = cells.find((one) => one.was === was && one.would === would);
              return (
                <td key={would} data-label={`would be ${would}`} className="right num">
                  {cell === undefined ? <Dash /> : <CellText cell={cell} currency={currency} isChange={was !== would} />}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function CellText({ cell, currency, isChange }: { cell: CellView; currency: string; isChange: boolean }) {
  return (
    <span>
      <Text size="sm" fw={isChange ? 700 : 400} span>
        {count(cell.count)}
      </Text>{' '}
      <Text size="xs" c="dimmed" span>
        {money(cell.amount, currency)}
      </Text>
    </span>
  );
}

function Changes({ groups, currency }: { groups: readonly ChangesView[]; currency: string }) {
  return (
    <Stack gap={6}>
      {groups.map(({ name, count: all, changes }) => (
        <Group key={name} justify="space-between" gap="xs" align="flex-start">
          <Text size="sm">
            {name}{' '}
            <Text size="xs" c="dimmed" span className="num">
              {count(all)} decisions
            </Text>
          </Text>
          <Group gap={6}>
            {changes.length === 0 && (
              <Text size="xs" c="dimmed">
                no change
              </Text>
            )}
            {changes.map(({ was, would, count: changed, amount }) => (
              <Badge
                key={`${was} ${would}`}
                variant="light"
                radius="sm"
                className="badge"
                color={would === 'ALLOW' ? 'teal' : would === 'REVIEW' ? 'yellow' : 'red'}
              >
                {was} → {would}: {count(changed)} ({money(amount, currency)})
              </Badge>
            ))}
          </Group>
        </Group>
      ))}
    </Stack>
  );
}

function Pairs({ pairs, what }: { pairs: readonly PairView[]; what: string }) {
  if (pairs.length === 0) return <Dash />;
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{what}</th>
          <th scope="col" className="right">
            Then
          </th>
          <th scope="col" className="right">
            Would be
          </th>
        </tr>
      </thead>
      <tbody>
        {pairs.map(({ name, was, would }) => (
          <tr key={name}>
            <td data-label={what}>
              <span className="mono breakable">{name}</span>
            </td>
            <td data-label="Then" className="right num">
              {count(was)}
            </td>
            <td data-label="Would be" className="right num">
              <Text size="sm" fw={was === would ? 400 : 700} span>
                {count(would)}
              </Text>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Examples({ found: { examples, currency } }: { found: TallyView }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Decision</th>
          <th scope="col">Was → would be</th>
          <th scope="col">Service, tier</th>
          <th scope="col" className="right">
            Amount
          </th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {examples.map(({ decision, was, would, service, tier, amount, why }) => (
          <tr key={decision}>
            <td data-label="Decision">
              <Id value={decision} to={`/decisions?id=${decision}`} />
            </td>
            <td data-label="Was → would be">
              {was} → {would}
            </td>
            <td data-label="Service, tier">
              {service}, {tier}
            </td>
            <td data-label="Amount" className="right num">
              {money(amount, currency)}
            </td>
            <td data-label="Why">
              <span className="mono breakable">{why}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Dash() {
  return (
    <Text size="sm" c="dimmed" span>
      —
    </Text>
  );
}
