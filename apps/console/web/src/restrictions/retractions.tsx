import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { RetractionView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { may } from '../api/session.js';
import { Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { ago, count, Id, Time } from '../parts/values.js';

/** Banks that have not acknowledged yet that a restriction is over, or a record withdrawn. */
export function Retractions({ staff }: { staff: SignedInStaff }) {
  const list = useQuery({ queryKey: ['retractions'], queryFn: () => call<{ at: string; retractions: RetractionView[] }>('/retractions') });
  return (
    <Section title="Open retractions">
      <Loaded of={list} label="Loading open retractions" lines={4}>
        {({ at, retractions }) =>
          retractions.length === 0 ? (
            <Empty title="Every bank has heard">
              A bank that was told of a restriction, or used a record, stays on this list until it acknowledges that it is over, or
              withdrawn.
            </Empty>
          ) : (
            <Table.ScrollContainer minWidth={560}>
              <Table verticalSpacing="xs">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Bank</Table.Th>
                    <Table.Th>Restriction or record</Table.Th>
                    <Table.Th>Open since</Table.Th>
                    <Table.Th>Not taken</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {retractions.map((one) => (
                    <Table.Tr key={`${one.participant} ${one.event}`}>
                      <Table.Td>{one.participant}</Table.Td>
                      <Table.Td>
                        <Id value={one.restriction ?? one.record ?? one.event} />
                      </Table.Td>
                      <Table.Td>
                        {ago(one.since, at)}
                        <Text size="xs" c="dimmed">
                          <Time at={one.since} />
                        </Text>
                      </Table.Td>
                      <Table.Td>
                        {one.failures === 0 ? 'not tried yet' : `${count(one.failures)} × ${one.failure ?? ''}`}
                        {one.deadAt !== undefined && (
                          <Text size="xs" c="red">
                            Dead letter:{' '}
                            {may(staff, 'partners.change') ? 'send it again on the Partners page' : 'an operator sends it again'}
                          </Text>
                        )}
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          )
        }
      </Loaded>
    </Section>
  );
}
