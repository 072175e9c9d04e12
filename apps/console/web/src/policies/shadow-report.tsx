import { Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ShadowView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { count, Time } from '../parts/values.js';
import { Tally } from './tally.js';

const POLL_MS = 2_000;

export function ShadowReport({ version, onClose }: { version: string; onClose: () => void }) {
  const report = useQuery({
    queryKey: ['shadow', version],
    queryFn: () => call<ShadowView>(`/policies/${version}/shadow`, { background: true }),
    refetchInterval: ({ state }) => (state.data?.state === 'SHADOW' ? POLL_MS : false),
  });
  return (
    <Section
      title={`Shadow of version ${version}`}
      aside={
        <Button variant="default" size="xs" onClick={onClose}>
          Close the report
        </Button>
      }
    >
      <Loaded of={report} label="Loading the report" lines={8}>
        {({ since, behind, found, notes, state }) => (
          <>
            <Text size="sm" c="dimmed" mb="md" role="status" component="div">
              Beside the active version since <Time at={since} />.{' '}
              {behind === 0 ? 'Every decision up to now is compared.' : `${count(behind)} facts are not compared yet.`}
              {state !== 'SHADOW' && ' The shadow has ended.'}
            </Text>
            {found.decisions.count === 0 ? (
              <Empty title="No decision since">The first answer that the decision API gives appears here a second later.</Empty>
            ) : (
              <Tally found={found} notes={notes} />
            )}
          </>
        )}
      </Loaded>
    </Section>
  );
}
