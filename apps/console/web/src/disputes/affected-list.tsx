import { Button, Group, Table, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { AffectedPageView, AffectedView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { may } from '../api/session.js';
import { Section } from '../parts/page.js';
import { Empty, Failure, Loaded } from '../parts/states.js';
import { count, Id, money, OutcomeBadge, Time } from '../parts/values.js';

/** The decisions that used the record; decided again, also what they would have been. */
export function AffectedList({ id, staff }: { id: string; staff: SignedInStaff }) {
  const path = `/disputes/${encodeURIComponent(id)}`;
  const listed = useQuery({ queryKey: ['affected', id], queryFn: () => call<AffectedPageView>(`${path}/decisions`) });
  const again = useMutation({ mutationFn: () => call<AffectedPageView>(`${path}/re-evaluations`, { method: 'POST', body: {} }) });
  return (
    <Section
      title="Decisions that used the record"
      aside={
        may(staff, 'restrictions.order') && (
          <Button size="xs" variant="default" loading={again.isPending} onClick={() => again.mutate()}>
            Decide again
          </Button>
        )
      }
    >
      {again.error && <Failure error={again.error} />}
      {again.data && <Result page={again.data} />}
      <Loaded of={listed} label="Loading decisions" lines={4}>
        {(page) => {
          const { decisions, next } = again.data ?? page;
          if (decisions.length === 0)
            return <Empty title="No decision used it">An evaluation that allowed left no row and is not listed.</Empty>;
          return (
            <>
              <Decisions decisions={decisions} />
              {next !== undefined && (
                <Text size="xs" c="dimmed" mt="sm">
                  The first {count(decisions.length)}; `tallystick disputes decisions {id}` lists all.
                </Text>
              )}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

function Result({ page: { decisions } }: { page: AffectedPageView }) {
  const others = decisions.filter(({ other }) => other).length;
  return (
    <Text size="sm" mb="sm" role="status">
      {count(others)} of {count(decisions.length)} would have been others. Nothing was changed.
    </Text>
  );
}

function Decisions({ decisions }: { decisions: readonly AffectedView[] }) {
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Decision</Table.Th>
            <Table.Th>When</Table.Th>
            <Table.Th>Service</Table.Th>
            <Table.Th>Amount</Table.Th>
            <Table.Th>Standing</Table.Th>
            <Table.Th>Answer</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {decisions.map((one) => (
            <Table.Tr key={one.id}>
              <Table.Td>
                <Id value={one.id} to={`/decisions?id=${one.id}`} />
              </Table.Td>
              <Table.Td>
                <Time at={one.decidedAt} />
              </Table.Td>
              <Table.Td>{one.service}</Table.Td>
              <Table.Td>{money(one.amount.amount, one.amount.currency)}</Table.Td>
              <Table.Td>version {one.standingVersion}</Table.Td>
              <Table.Td>
                <Answer one={one} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Answer({ one: { outcome, other, was, would } }: { one: AffectedView }) {
  return (
    <Group gap={6} wrap="nowrap">
      <OutcomeBadge outcome={outcome} />
      {other === true && (
        <>
          <Text size="xs">would be</Text>
          {would ? <OutcomeBadge outcome={would.outcome} /> : <Text size="xs">not judged</Text>}
        </>
      )}
      {was && would && was.score !== would.score && (
        <Text size="xs" c="dimmed">
          score {was.score} → {would.score}
        </Text>
      )}
    </Group>
  );
}
