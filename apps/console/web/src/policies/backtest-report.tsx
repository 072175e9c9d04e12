import { Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { BacktestReportView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { Id, Time } from '../parts/values.js';
import { Tally } from './tally.js';

export function BacktestReport({ id, onClose }: { id: string; onClose: () => void }) {
  const answer = useQuery({ queryKey: ['backtest', id], queryFn: () => call<BacktestReportView>(`/backtests/${id}`) });
  const title = answer.data ? `Back-test of ${answer.data.backtest.policy}` : 'Back-test report';
  return (
    <Section
      title={title}
      aside={
        <Button variant="default" size="xs" onClick={onClose}>
          Close the report
        </Button>
      }
    >
      <Loaded of={answer} label="Loading the report" lines={8}>
        {({ backtest: { from, to }, report }) =>
          report === null ? (
            <Empty title="There is no report">This back-test is not finished.</Empty>
          ) : (
            <>
              <Text size="sm" c="dimmed" mb="md" component="div">
                {from === null ? 'From the beginning' : <Time at={from} />} to{' '}
                {to === null ? 'the time it was asked for' : <Time at={to} />}; history read <Id value={report.historyDigest} />
              </Text>
              <Tally found={report.found} notes={report.assumptions} />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}
