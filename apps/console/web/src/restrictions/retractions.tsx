import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { RetractionView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { ago, count, Id, Time } from '../parts/values.js';

/** Banks that were told of a restriction and have not acknowledged yet that it is over. */
export function Retractions() {
  const list = useQuery({ queryKey: ['retractions'], queryFn: () => call<{ at: string; retractions: RetractionView[] }>('/retractions') });
  return (
    <Section title="Open retractions">
      <Loaded of={list} label="Loading open retractions" lines={4}>
        {({ at, retractions }) =>
          retractions.length === 0 ? (
            <Empty title="Every bank has heard">
              A bank that was told of a restriction stays on this list until it acknowledges its end.
            </Empty>
          ) : (
            <Table.ScrollContainer minWidth={560}>
              <Table verticalSpacing="xs">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Bank</Table.Th>
                    <Table.Th>Restriction</Table.Th>
                    <Table.Th>Open since</Table.Th>
                    <Table.Th>Refused by the bank</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {retractions.map((one) => (
                    <Table.Tr key={`${one.participant} ${one.event}`}>
                      <Table.Td>{one.participant}</Table.Td>
                      <Table.Td>
                        <Id value={one.restriction} />
                      </Table.Td>
                      <Table.Td>
                        {ago(one.since, at)}
                        <Text size="xs" c="dimmed">
                          <Time at={one.since} />
                        </Text>
                      </Table.Td>
                      <Table.Td>{one.failures === 0 ? 'never' : `${count(one.failures)} × ${one.failure ?? ''}`}</Table.Td>
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
