import { Badge, Group, Stack, Text } from '@mantine/core';
import type { DisputeView } from '../../../src/api.js';
import { Link } from '../api/router.js';
import { Id, StateBadge, Time } from '../parts/values.js';

const MEANWHILE: Readonly<Record<DisputeView['treatment']['score'], (points: number) => string>> = {
  EXCLUDE: () => 'the record does not count in the score',
  CAP: (points) => `without the record the score is at most ${points} points higher`,
  KEEP: () => 'the record counts, and is flagged',
};

const CLOCKS: Readonly<Record<NonNullable<DisputeView['nextClock']>['clock'], string>> = {
  NOTICE: 'we look whether it heard',
  DUE_SOON: 'it is reminded',
  DUE: 'without an answer the record is removed',
  RESULT: 'we look whether all heard the result',
};

/** One dispute: what about, where it stands, which clock runs. */
export function DisputeArticle({ dispute, isLinked = false }: { dispute: DisputeView; isLinked?: boolean }) {
  const { id, subject, record, kind, code, openedBy, state, outcome, treatment } = dispute;
  const unheard = [...new Set(dispute.notices.filter(({ heardAt }) => heardAt === undefined).map(({ participant }) => participant))];
  return (
    <Stack gap={6} component="article" aria-label={`Dispute ${id}`}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text fw={600}>{code}</Text>
          <Text size="sm">
            {kind} of {record.issuer}
          </Text>
          {isLinked ? <Link size="sm" to={`/disputes?dispute=${id}`}>{`${id.slice(0, 9)}…${id.slice(-6)}`}</Link> : <Id value={id} />}
        </Group>
        <Group gap="xs">
          {dispute.overdue === true && (
            <Badge color="red" variant="light" radius="sm" className="badge">
              OVERDUE
            </Badge>
          )}
          <StateBadge state={state} />
          {outcome && <StateBadge state={outcome} />}
        </Group>
      </Group>
      <Group gap="xs">
        <Text size="sm">
          Subject <Id value={subject} to={`/decisions?id=${subject}`} />
        </Text>
        <Text size="sm">
          Record <Id value={record.jti} to={`/decisions?id=${record.jti}`} />
        </Text>
      </Group>
      <Text size="xs" c="dimmed">
        Opened by the {openedBy === 'SUBJECT' ? 'subject' : 'bank itself'} <Time at={dispute.openedAt} />
        {state === 'CLOSED' ? <Closed dispute={dispute} /> : <Running dispute={dispute} />}
      </Text>
      {state !== 'CLOSED' && (
        <Text size="xs" c="dimmed">
          Meanwhile {MEANWHILE[treatment.score](treatment.capPoints)}
          {kind === 'violation' && (treatment.restrictions === 'KEEP' ? '; what it costs stays' : '; what it costs is suspended')}.
        </Text>
      )}
      <Text size="xs" c={unheard.length === 0 ? 'dimmed' : 'orange'}>
        {unheard.length === 0 ? 'Everybody who was told has heard.' : `Not heard yet: ${unheard.join(', ')}.`}
      </Text>
    </Stack>
  );
}

function Running({ dispute: { dueAt, noticeBy, nextClock } }: { dispute: DisputeView }) {
  return (
    <>
      {' '}
      · the bank hears by <Time at={noticeBy} only="day" /> · answer due <Time at={dueAt} />
      {nextClock && (
        <>
          {' '}
          · {CLOCKS[nextClock.clock]} <Time at={nextClock.at} />
        </>
      )}
    </>
  );
}

function Closed({ dispute: { closedAt, resultBy } }: { dispute: DisputeView }) {
  return (
    <>
      {closedAt !== undefined && (
        <>
          {' '}
          · closed <Time at={closedAt} />
        </>
      )}
      {resultBy !== undefined && (
        <>
          {' '}
          · everybody is to have heard by <Time at={resultBy} only="day" />
        </>
      )}
    </>
  );
}
