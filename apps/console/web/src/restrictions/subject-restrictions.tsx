import { Button, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RestrictionView, SignedInStaff, SubjectRestrictionsView } from '../../../src/api.js';
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
  const order = (kind: 'LIFT' | 'UPHOLD' | 'OVERTURN') => () => onOrder?.({ kind, restriction: one.id });
  const isAppealOpen = one.appeal?.state === 'OPEN';
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
      {one.appeal && (
        <Group gap="xs">
          <Text size="sm">Appeal ({one.appeal.grounds.code})</Text>
          <StateBadge state={one.appeal.state} />
          {isAppealOpen && (
            <Text size="xs" c="dimmed">
              answer due <Time at={one.appeal.dueAt} />
            </Text>
          )}
        </Group>
      )}
      {onOrder && (one.state === 'IN_FORCE' || isAppealOpen) && (
        <Group gap="xs" mt={4}>
          {isAppealOpen && (
            <>
              <Button size="xs" variant="default" onClick={order('UPHOLD')}>
                Uphold
              </Button>
              <Button size="xs" variant="default" onClick={order('OVERTURN')}>
                Overturn
              </Button>
            </>
          )}
          {one.state === 'IN_FORCE' && (
            <Button size="xs" variant="default" onClick={order('LIFT')}>
              Lift early
            </Button>
          )}
        </Group>
      )}
    </Stack>
  );
}

function originOf({ ladder, rung }: RestrictionView): string {
  return rung === undefined ? `Imposed ${ladder}` : `Imposed by the ladder (${ladder}, rung ${rung})`;
}
