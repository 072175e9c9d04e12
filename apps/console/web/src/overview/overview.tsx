import { Alert, Anchor, Group, Paper, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { OverviewView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { followInApp } from '../api/router.js';
import { may } from '../api/session.js';
import { PageHead, Section } from '../parts/page.js';
import { Icon } from '../parts/icons.js';
import { Empty, Loaded } from '../parts/states.js';
import { ago, count, OUTCOMES, Time } from '../parts/values.js';
import { ActivityBars } from './activity-bars.js';

const REFRESH_MS = 10_000;

/** A fact that waits longer than this waits for a stopped sealer: it signs every second while there is anything to seal. */
const LATE_SEAL_MS = 60_000;

export default function Overview({ staff }: { staff: SignedInStaff }) {
  const overview = useQuery({
    queryKey: ['overview'],
    queryFn: () => call<OverviewView>('/overview', { background: true }),
    refetchInterval: REFRESH_MS,
  });
  return (
    <>
      <PageHead title="Overview" about="What the exchange is doing right now.">
        {overview.data && (
          <Text size="xs" c="dimmed">
            {overview.isError ? 'Not reachable; last seen ' : 'As of '}
            <Time at={overview.data.at} only="clock" />
          </Text>
        )}
      </PageHead>
      <Loaded of={overview} label="Loading the overview" lines={8}>
        {(view) => (
          <Stack gap="lg">
            <Alarms view={view} />
            <SealWarning view={view} />
            <Figures view={view} staff={staff} />
            <Decisions view={view} staff={staff} />
          </Stack>
        )}
      </Loaded>
    </>
  );
}

function waiting(view: OverviewView): bigint {
  return BigInt(view.log.facts) - BigInt(view.log.sealed);
}

function SealWarning({ view }: { view: OverviewView }) {
  const { lastCheckpointAt, waitingSince } = view.log;
  if (waiting(view) === 0n || waitingSince === null || Date.parse(view.at) - Date.parse(waitingSince) < LATE_SEAL_MS) return null;
  const last = lastCheckpointAt === null ? 'nothing was sealed yet' : `the last checkpoint was signed ${ago(lastCheckpointAt, view.at)}`;
  return (
    <Alert color="yellow" variant="light" icon={<Icon name="wait" />} title="The log is behind" role="status">
      {counted(waiting(view), 'fact waits', 'facts wait')} to be sealed, the oldest happened {ago(waitingSince, view.at)}; {last}. They are
      safe in the database. Check that the worker runs.
    </Alert>
  );
}

function Alarms({ view }: { view: OverviewView }) {
  return view.alarms.map(({ code, detail, raisedAt }) => (
    <Alert key={code + detail} color="red" variant="light" icon={<Icon name="alert" />} title={code} role="alert">
      {detail}. Raised {ago(raisedAt, view.at)}.
    </Alert>
  ));
}

function Figures({ view, staff }: { view: OverviewView; staff: SignedInStaff }) {
  const { records, breaks, log } = view;
  return (
    <SimpleGrid cols={{ base: 2, lg: 4 }} spacing={{ base: 'xs', sm: 'md' }}>
      <Figure label="Records accepted" value={records.about ? `≈ ${count(records.total)}` : count(records.total)}>
        {records.lastAcceptedAt === null ? 'None yet' : `Last one ${ago(records.lastAcceptedAt, view.at)}`}
      </Figure>
      <Figure
        label="Open breaks"
        value={count(breaks.open) + (breaks.more ? '+' : '')}
        {...(breaks.open > 0 ? { tone: 'var(--deny)' } : {})}
      >
        <OldestBreak breaks={breaks} at={view.at} />
      </Figure>
      <Figure label="Facts in the log" value={count(log.sealed)}>
        {waiting(view) === 0n ? 'All facts are sealed' : `${counted(waiting(view), 'more waits', 'more wait')} to be sealed`}
      </Figure>
      <Figure label="Last checkpoint" value={log.lastCheckpointAt === null ? 'None' : ago(log.lastCheckpointAt, view.at)}>
        {may(staff, 'audit.read') ? <PageLink to="/audit">See the signed note</PageLink> : 'Signed by this installation'}
      </Figure>
    </SimpleGrid>
  );
}

/** Leads to the reconciliation, from which every break of it can be followed. */
function OldestBreak({ breaks: { oldest }, at }: { breaks: OverviewView['breaks']; at: string }) {
  if (oldest === null) return <PageLink to="/reconciliations">No statement disagrees</PageLink>;
  return <PageLink to={`/reconciliations?id=${oldest.id}`}>{`Oldest ${ago(oldest.at, at)}`}</PageLink>;
}

function Figure({ label, value, tone, children }: { label: string; value: string; tone?: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" role="group" aria-label={label}>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <div className="figure-value" style={{ color: tone }}>
        {value}
      </div>
      <Text size="xs" c="dimmed" mt={4}>
        {children}
      </Text>
    </Paper>
  );
}

function Decisions({ view, staff }: { view: OverviewView; staff: SignedInStaff }) {
  const { counts, windowSeconds, capped, bars } = view.decisions;
  const total = OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
  const aside = may(staff, 'decisions.read') && <PageLink to="/decisions">Open decisions</PageLink>;
  return (
    <Section title={`Decisions, last ${windowText(windowSeconds)}`} aside={aside}>
      {total === 0 ? (
        <Empty title="No decisions in this time">When a service asks, the answers are counted here within seconds.</Empty>
      ) : (
        <Stack gap="md">
          <SimpleGrid cols={{ base: 2, xs: 4 }} spacing="md" maw={640}>
            <div>
              <div className="figure-value">
                {count(total)}
                {capped && '+'}
              </div>
              <Text size="xs" c="dimmed">
                {capped && 'at least '}
                {rate(total, windowSeconds)}
              </Text>
            </div>
            {OUTCOMES.map((outcome) => (
              <div key={outcome}>
                <Group gap={7}>
                  <span className={`dot ${outcome}`} />
                  <Text size="sm" fw={600}>
                    {outcome}
                  </Text>
                </Group>
                <Text size="sm" c="dimmed" className="num">
                  {count(counts[outcome])} · {((100 * counts[outcome]) / total).toFixed(1)} %
                </Text>
              </div>
            ))}
          </SimpleGrid>
          <ActivityBars bars={bars} windowSeconds={windowSeconds} at={view.at} />
        </Stack>
      )}
    </Section>
  );
}

function counted(n: bigint, one: string, many: string): string {
  return `${count(n)} ${n === 1n ? one : many}`;
}

function windowText(seconds: number): string {
  return seconds === 60 ? 'minute' : `${seconds / 60} minutes`;
}

function rate(total: number, seconds: number): string {
  const perSecond = total / seconds;
  return perSecond >= 1 ? `${perSecond.toFixed(1)} per second` : `${(perSecond * 60).toFixed(1)} per minute`;
}

function PageLink({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Anchor href={to} size="sm" onClick={(event) => followInApp(event, to)}>
      {children}
    </Anchor>
  );
}
