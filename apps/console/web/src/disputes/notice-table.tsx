import { Table } from '@mantine/core';
import type { DisputeView } from '../../../src/api.js';
import { Empty } from '../parts/states.js';
import { Time } from '../parts/values.js';

/** Proof of delivery: each participant that was told, what, and when it acknowledged. */
export function NoticeTable({ notices }: Pick<DisputeView, 'notices'>) {
  if (notices.length === 0) return <Empty title="Nobody was told">The link of the record has gone.</Empty>;
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Bank</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th>Told</Table.Th>
            <Table.Th>Acknowledged</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {notices.map(({ event, participant, kind, toldAt, heardAt }) => (
            <Table.Tr key={event}>
              <Table.Td>{participant}</Table.Td>
              <Table.Td>{kind}</Table.Td>
              <Table.Td>
                <Time at={toldAt} />
              </Table.Td>
              <Table.Td>{heardAt === undefined ? 'not yet' : <Time at={heardAt} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
