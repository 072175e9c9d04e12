import { Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { CheckpointView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { ago, Copy, count } from '../parts/values.js';

const REFRESH_MS = 10_000;

export function CheckpointPanel() {
  const checkpoint = useQuery({
    queryKey: ['checkpoint'],
    queryFn: () => call<{ checkpoint: CheckpointView | null }>('/checkpoint', { background: true }),
    refetchInterval: REFRESH_MS,
  });
  return (
    <Section
      title="Last checkpoint"
      aside={checkpoint.data?.checkpoint && <Copy value={checkpoint.data.checkpoint.note} label="Copy the signed note" />}
    >
      <Loaded of={checkpoint} label="Loading the checkpoint">
        {({ checkpoint: last }) => (last === null ? <Nothing /> : <Signed last={last} at={checkpoint.dataUpdatedAt} />)}
      </Loaded>
    </Section>
  );
}

function Nothing() {
  return <Empty title="Nothing is sealed yet">The worker signs a checkpoint within seconds of the first fact.</Empty>;
}

function Signed({ last, at }: { last: CheckpointView; at: number }) {
  return (
    <Stack gap="sm">
      <Group gap="xl">
        <div>
          <div className="figure-value">{count(last.size)}</div>
          <Text size="xs" c="dimmed">
            entries
          </Text>
        </div>
        <div>
          <div className="figure-value">{ago(last.sealedAt, at)}</div>
          <Text size="xs" c="dimmed">
            signed
          </Text>
        </div>
      </Group>
      <pre className="note" tabIndex={0} aria-label="Signed note">
        {last.note}
      </pre>
      <Text size="xs" c="dimmed">
        A signed note in C2SP form. Give it to someone outside: every later export must contain it.
      </Text>
    </Stack>
  );
}
