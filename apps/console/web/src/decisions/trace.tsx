import { Badge, Button, Group, Paper, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { SignedInStaff, TraceView } from '../../../src/api.js';
import { call, ProblemError, query } from '../api/client.js';
import { Link } from '../api/router.js';
import { may } from '../api/session.js';
import { Section } from '../parts/page.js';
import { Empty, Loaded, sentence } from '../parts/states.js';
import { Id } from '../parts/values.js';
import { TraceStepCard } from './trace-step.js';

export function Trace({ id, staff }: { id: string; staff: SignedInStaff }) {
  const trace = useQuery({ queryKey: ['trace', id], queryFn: () => call<TraceView>(`/trace${query({ id })}`) });
  const missing = trace.error instanceof ProblemError && trace.error.problem.status === 404 ? trace.error.problem : undefined;
  return (
    <Section title="Trace">
      {missing ? (
        <Empty title="Nothing is known by this id">{sentence(missing.detail)}</Empty>
      ) : (
        <Loaded of={trace} label="Following the trace" lines={8}>
          {(view) => <TraceBody view={view} staff={staff} />}
        </Loaded>
      )}
    </Section>
  );
}

function TraceBody({ view, staff }: { view: TraceView; staff: SignedInStaff }) {
  useEffect(() => {
    document.querySelector('.step.focus')?.scrollIntoView({ block: 'nearest' });
  }, [view.focus]);
  return (
    <>
      <Text size="sm" c="dimmed" mb="md">
        Understood as {view.understoodAs}. Oldest first; times are UTC.
      </Text>
      {view.subject && <Subject subject={view.subject} staff={staff} />}
      {view.cut && (
        <Text size="sm" c="dimmed" mb="md">
          More happened than is shown: these are {view.focus === null ? 'the latest steps' : 'the steps nearest to the id'}. Paste another
          id of the subject to see the rest.
        </Text>
      )}
      {view.steps.length === 0 ? (
        <Empty title="Nothing has happened here yet">The subject is known; no record, decision or statement line names it so far.</Empty>
      ) : (
        <Steps key={view.subject?.id ?? view.focus} view={view} mayOpenFacts={may(staff, 'audit.read')} />
      )}
    </>
  );
}

const STEPS_AT_FIRST = 25;

/** A subject may have hundreds of steps, and the last ones are asked about. A step that was asked for is always shown, and what led to it. */
function Steps({ view: { steps, focus }, mayOpenFacts }: { view: TraceView; mayOpenFacts: boolean }) {
  const [whole, showWhole] = useState(false);
  const hidden = whole || focus !== null ? 0 : Math.max(0, steps.length - STEPS_AT_FIRST);
  return (
    <>
      {hidden > 0 && (
        <Button variant="default" size="xs" mb="md" onClick={() => showWhole(true)}>
          Show the {hidden} steps before
        </Button>
      )}
      <ol className="trace">
        {steps.slice(hidden).map((step) => (
          <TraceStepCard key={step.key} step={step} focused={step.key === focus} mayOpenFacts={mayOpenFacts} />
        ))}
      </ol>
    </>
  );
}

function Subject({ subject, staff }: { subject: NonNullable<TraceView['subject']>; staff: SignedInStaff }) {
  return (
    <Paper withBorder p="sm" mb="lg" className="subject" aria-label="Subject" role="group">
      <Group gap="lg">
        <div>
          <Text size="xs" c="dimmed">
            {subject.kind === 'MERCHANT' ? 'Merchant' : 'Individual'}
          </Text>
          <Id value={subject.id} to={`/decisions?id=${subject.id}`} />
        </div>
        <div>
          <Text size="xs" c="dimmed">
            Score now
          </Text>
          <Text size="sm" fw={650} className="num">
            {subject.score ?? '—'}
          </Text>
        </div>
        <div>
          <Text size="xs" c="dimmed">
            Standing version
          </Text>
          <Text size="sm" className="num">
            {subject.standingVersion ?? '—'}
          </Text>
        </div>
        {subject.restrictions > 0 && (
          <Badge color="red" variant="light" radius="sm" className="badge">
            {subject.restrictions === 1 ? '1 restriction in force' : `${subject.restrictions} restrictions in force`}
          </Badge>
        )}
        <Group gap="sm">
          {may(staff, 'consents.read') && (
            <Link size="sm" to={`/consents?subject=${subject.id}`}>
              Consents and who saw what
            </Link>
          )}
          {may(staff, 'restrictions.read') && (
            <Link size="sm" to={`/restrictions?subject=${subject.id}`}>
              Restrictions
            </Link>
          )}
          {may(staff, 'restrictions.read') && (
            <Link size="sm" to={`/disputes?subject=${subject.id}`}>
              Disputes
            </Link>
          )}
        </Group>
      </Group>
    </Paper>
  );
}
