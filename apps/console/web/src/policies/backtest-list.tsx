import { Button, Group, Progress, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { BacktestView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Section } from '../parts/page.js';
import { Empty, Failure, Loaded } from '../parts/states.js';
import { count, StateBadge, Time } from '../parts/values.js';

const POLL_MS = 1_000;

const isOpen = ({ state }: BacktestView): boolean => state === 'REQUESTED' || state === 'RUNNING';

interface BacktestListProps {
  /** Who may start one may cancel it. */
  readonly mayChange: boolean;
  readonly onOpen: (id: string) => void;
}

export function BacktestList({ mayChange, onOpen }: BacktestListProps) {
  const backtests = useQuery({
    queryKey: ['backtests'],
    queryFn: () => call<{ backtests: BacktestView[] }>('/backtests', { background: true }),
    refetchInterval: ({ state }) => (state.data?.backtests.some(isOpen) ? POLL_MS : false),
  });
  return (
    <Section title="Back-tests">
      <Loaded of={backtests} label="Loading back-tests" lines={3}>
        {({ backtests: list }) =>
          list.length === 0 ? (
            <Empty title="No back-tests yet">
              {mayChange
                ? 'Start one; it runs in the background and its report stays here.'
                : 'Compliance and risk start them; the reports stay here.'}
            </Empty>
          ) : (
            <Stack gap="lg">
              {list.map((item) => (
                <Item key={item.id} item={item} mayChange={mayChange} onOpen={onOpen} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}

function Item({ item, mayChange, onOpen }: BacktestListProps & { item: BacktestView }) {
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => call<BacktestView>(`/backtests/${item.id}/cancel`, { method: 'POST' }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['backtests'] }),
  });
  return (
    <article aria-label={`Back-test of ${item.policy}`}>
      <Group justify="space-between" align="flex-start" gap="xs">
        <div>
          <Group gap="xs">
            <Text size="sm" fw={600}>
              {item.policy}
            </Text>
            <StateBadge state={item.state} />
          </Group>
          <Text size="xs" c="dimmed" mt={2}>
            <Time at={item.requestedAt} /> · asked for by {item.requestedBy}
            {item.decisions > 0 && ` · ${count(item.decisions)} decisions`}
          </Text>
        </div>
        {item.state === 'DONE' && (
          <Button size="xs" variant="light" onClick={() => onOpen(item.id)} aria-label={`Report of the back-test of ${item.policy}`}>
            Report
          </Button>
        )}
        {isOpen(item) && mayChange && (
          <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel
          </Button>
        )}
      </Group>
      {isOpen(item) && (
        <div role="status">
          <Progress value={item.percent} mt={8} aria-label="Progress of the back-test" />
          <Text size="xs" c="dimmed" mt={4}>
            {item.state === 'REQUESTED' ? 'waits for the worker' : `${item.percent} % of ${count(item.decisions)} decisions`}
          </Text>
        </div>
      )}
      {item.failure !== null && (
        <Text size="sm" c="red" mt={4}>
          {item.failure}
        </Text>
      )}
      {cancel.error && <Failure error={cancel.error} />}
    </article>
  );
}
