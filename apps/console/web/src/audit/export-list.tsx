import { Button, Group, Progress, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ExportView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Section } from '../parts/page.js';
import { Icon } from '../parts/icons.js';
import { Empty, Loaded } from '../parts/states.js';
import { bytes, Copy, count, StateBadge, Time } from '../parts/values.js';

const POLL_MS = 1_000;

const running = (list: readonly ExportView[] | undefined): boolean =>
  list?.some(({ state }) => state === 'REQUESTED' || state === 'RUNNING') ?? false;

export function ExportList() {
  const exports = useQuery({
    queryKey: ['exports'],
    queryFn: () => call<{ exports: ExportView[] }>('/exports', { background: true }),
    refetchInterval: ({ state }) => (running(state.data?.exports) ? POLL_MS : false),
  });
  return (
    <Section title="Exports">
      <Loaded of={exports} label="Loading exports" lines={3}>
        {({ exports: list }) =>
          list.length === 0 ? (
            <Empty title="No exports yet">Create one above; it is prepared in the background and stays here to be downloaded.</Empty>
          ) : (
            <Stack gap="lg">
              {list.map((item) => (
                <Item key={item.id} item={item} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}

function Item({ item }: { item: ExportView }) {
  return (
    <article aria-label={`Export ${item.selection}`}>
      <Group justify="space-between" align="flex-start" gap="xs">
        <div>
          <Group gap="xs">
            <Text size="sm" fw={600}>
              {item.selection}
            </Text>
            <StateBadge state={item.state} />
          </Group>
          <Text size="xs" c="dimmed" mt={2}>
            <Time at={item.requestedAt} />
            {item.requestedBy !== '' && ` · asked for by ${item.requestedBy}`}
            {item.state === 'DONE' && ` · ${count(item.entriesIncluded)} of ${count(item.entriesTotal)} entries`}
            {item.bytes !== null && ` · ${bytes(item.bytes)}`}
          </Text>
        </div>
        {item.state === 'DONE' && (
          <Button
            component="a"
            href={`/api/exports/${item.id}/bundle`}
            download={item.fileName}
            size="xs"
            variant="light"
            leftSection={<Icon name="download" size={15} />}
          >
            Download
          </Button>
        )}
      </Group>
      {item.state === 'DONE' && <VerifyCommand fileName={item.fileName} />}
      {(item.state === 'REQUESTED' || item.state === 'RUNNING') && <ProgressOf item={item} />}
      {item.state === 'FAILED' && (
        <Text size="sm" c="red" mt={6} role="alert">
          {item.failure ?? 'It failed for an unknown reason; see the log of the worker.'}
        </Text>
      )}
    </article>
  );
}

function ProgressOf({ item }: { item: ExportView }) {
  const percent = item.entriesTotal === 0 ? 0 : Math.min(100, Math.floor((100 * item.entriesDone) / item.entriesTotal));
  const waiting = item.state === 'REQUESTED';
  return (
    <Group gap="sm" mt={8} wrap="nowrap">
      <Progress.Root size="md" flex={1}>
        <Progress.Section
          value={waiting ? 100 : percent}
          striped={waiting}
          animated={waiting}
          {...(waiting ? { color: 'gray' } : {})}
          aria-label={`Progress of ${item.selection}`}
        />
      </Progress.Root>
      <Text size="xs" c="dimmed" className="num">
        {waiting ? 'waits for the worker' : item.entriesTotal === 0 ? 'starting' : `${percent} % of ${count(item.entriesTotal)}`}
      </Text>
    </Group>
  );
}

/** What an auditor types on a machine that knows neither our network nor our database; `log.vkey` holds the keys, handed over on another way. */
function VerifyCommand({ fileName }: { fileName: string }) {
  const command = `npm run tallystick -- verify ${fileName} --key log.vkey`;
  return (
    <div className="command" role="group" aria-label="Verify it offline">
      <code tabIndex={0}>{command}</code>
      <Copy value={command} label="Copy the command" />
    </div>
  );
}
