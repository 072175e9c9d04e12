import { Button, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AppealView, RestrictionView, SignedInStaff, SubjectRestrictionsView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { may } from '../api/session.js';
import { Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { count, Id, StateBadge, Time } from '../parts/values.js';
import { OrderForm, type Wanted } from './order-form.js';
import { SanctionText } from './sanction-text.js';

/** Everything that stands or stood against one subject, and what may be ordered about it. */
export function SubjectRestrictions({ subject, staff }: { subject: string; staff: SignedInStaff }) {
  const [wanted, setWanted] = useState<Wanted>();
  const history = useQuery({
    queryKey: ['subject-restrictions', subject],
    queryFn: () => call<SubjectRestrictionsView>(`/subjects/${encodeURIComponent(subject)}/restrictions`),
  });
  const mayOrder = may(staff, 'restrictions.order');
  return (
    <>
      <Section
        title="Restrictions of the subject"
        aside={
          mayOrder && (
            <Button size="xs" variant="default" onClick={() => setWanted({ kind: 'IMPOSE' })}>
              Impose one
            </Button>
          )
        }
      >
        <Loaded of={history} label="Loading restrictions" lines={6}>
          {({ restrictions }) =>
            restrictions.length === 0 ? (
              <Empty title="Nothing stands against this subject, and nothing stood" />
            ) : (
              <Stack gap="lg">
                {restrictions.map((one) => (
                  <Restriction key={one.id} one={one} {...(mayOrder ? { onOrder: setWanted } : {})} />
                ))}
              </Stack>
            )
          }
        </Loaded>
      </Section>
      {wanted && <OrderForm key={JSON.stringify(wanted)} subject={subject} wanted={wanted} onDone={() => setWanted(undefined)} />}
    </>
  );
}

function Restriction({ one, onOrder }: { one: RestrictionView; onOrder?: (wanted: Wanted) => void }) {
  return (
    <Stack gap={4} component="article" aria-label={`Restriction ${one.id}`}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <SanctionText sanction={one} />
          <Id value={one.id} />
        </Group>
        <StateBadge state={one.state} />
      </Group>
      <Text size="sm">
        {one.reason.code}: {one.reason.text}
      </Text>
      <Text size="xs" c="dimmed">
        From <Time at={one.startsAt} />
        {one.endsAt !== undefined && (
          <>
            {' '}
            to <Time at={one.endsAt} />
          </>
        )}
        {one.over && (
          <>
            {' '}
            · over since <Time at={one.over.at} /> ({one.over.why.toLowerCase()})
          </>
        )}
      </Text>
      <Text size="xs" c="dimmed">
        {originOf(one)} · {count(one.banksTold)} banks told
        {one.cure && ` · cure: ${one.cure.text}`}
        {one.appealUntil !== undefined && (
          <>
            {' '}
            · appeal until <Time at={one.appealUntil} only="day" />
          </>
        )}
      </Text>
      {one.appeal && <Appeal appeal={one.appeal} />}
      {onOrder && <Orders one={one} onOrder={onOrder} />}
    </Stack>
  );
}

function originOf({ ladder, rung }: RestrictionView): string {
  return rung === undefined ? `Imposed ${ladder}` : `Imposed by the ladder (${ladder}, rung ${rung})`;
}

function Appeal({ appeal }: { appeal: AppealView }) {
  return (
    <Group gap="xs">
      <Text size="sm">Appeal ({appeal.grounds.code})</Text>
      <StateBadge state={appeal.state} />
      {appeal.state === 'OPEN' && (
        <Text size="xs" c="dimmed">
          answer due <Time at={appeal.dueAt} />
        </Text>
      )}
    </Group>
  );
}

/** An open appeal is answered also where its restriction is over. */
function Orders({ one, onOrder }: { one: RestrictionView; onOrder: (wanted: Wanted) => void }) {
  const kinds = [
    ...(one.appeal?.state === 'OPEN' ? (['UPHOLD', 'OVERTURN'] as const) : []),
    ...(one.state === 'IN_FORCE' ? (['LIFT'] as const) : []),
  ];
  if (kinds.length === 0) return null;
  return (
    <Group gap="xs" mt={4}>
      {kinds.map((kind) => (
        <Button key={kind} size="xs" variant="default" onClick={() => onOrder({ kind, restriction: one.id })}>
          {ORDER_WORDS[kind]}
        </Button>
      ))}
    </Group>
  );
}

const ORDER_WORDS = { UPHOLD: 'Uphold', OVERTURN: 'Overturn', LIFT: 'Lift early' } as const;
