import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { AppealView, OrderView, RestrictionDeskView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Link } from '../api/router.js';
import { may } from '../api/session.js';
import { Section } from '../parts/page.js';
import { Empty, Failure, Loaded } from '../parts/states.js';
import { Id, StateBadge, Time } from '../parts/values.js';
import { SanctionText } from './sanction-text.js';

/** What waits for somebody: orders for a second person, appeals for an answer. */
export function Desk({ staff }: { staff: SignedInStaff }) {
  const desk = useQuery({ queryKey: ['restrictions'], queryFn: () => call<RestrictionDeskView>('/restrictions') });
  return (
    <Loaded of={desk} label="Loading what waits" lines={6}>
      {({ orders, appeals }) => (
        <>
          <Section title="Waiting for a second person">
            {orders.length === 0 && (
              <Empty title="Nothing waits">Closures and early liftings need another person than the one who asked.</Empty>
            )}
            <Stack gap="md">
              {orders.map((order) => (
                <Order key={order.id} order={order} staff={staff} />
              ))}
            </Stack>
          </Section>
          <Section title="Open appeals">
            {appeals.length === 0 && (
              <Empty title="No open appeals">
                A subject appeals through the service it uses; the answer is due by the ladder&apos;s clock.
              </Empty>
            )}
            <Stack gap="md">
              {appeals.map((appeal) => (
                <Appeal key={appeal.id} appeal={appeal} />
              ))}
            </Stack>
          </Section>
        </>
      )}
    </Loaded>
  );
}

const VERBS: Readonly<Record<OrderView['kind'], string>> = {
  IMPOSE: 'Impose',
  LIFT: 'Lift early',
  UPHOLD: 'Uphold',
  OVERTURN: 'Overturn, and lift',
};

function Order({ order, staff }: { order: OrderView; staff: SignedInStaff }) {
  const queries = useQueryClient();
  const decide = useMutation({
    mutationFn: (approve: boolean) =>
      call<OrderView>(`/subjects/${order.subject}/restriction-orders/${order.id}/decision`, { method: 'POST', body: { approve } }),
    onSettled: () => queries.invalidateQueries(),
  });
  const isOwn = order.by === staff.name;
  return (
    <Stack gap={6} component="article" aria-label={`Order ${order.id}`}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text fw={600}>{VERBS[order.kind]}</Text>
          {order.sanction && <SanctionText sanction={order.sanction} />}
          <Link size="sm" to={`/restrictions?subject=${order.subject}`}>{`${order.subject.slice(0, 9)}…${order.subject.slice(-6)}`}</Link>
        </Group>
        <Text size="xs" c="dimmed">
          asked by {order.by}, <Time at={order.askedAt} />
        </Text>
      </Group>
      <Text size="sm">
        {order.reason.code}: {order.reason.text}
      </Text>
      <Text size="xs" c="dimmed">
        Evidence {order.evidence.reference} · SHA-256 <Id value={order.evidence.digest} />
      </Text>
      {decide.error && <Failure error={decide.error} />}
      {may(staff, 'restrictions.order') && (
        <Group gap="xs">
          <Button size="xs" disabled={isOwn} loading={decide.isPending} onClick={() => decide.mutate(true)}>
            Approve
          </Button>
          <Button size="xs" variant="default" disabled={isOwn} onClick={() => decide.mutate(false)}>
            Decline
          </Button>
          {isOwn && (
            <Text size="xs" c="dimmed">
              You asked for it: another person decides.
            </Text>
          )}
        </Group>
      )}
    </Stack>
  );
}

function Appeal({ appeal }: { appeal: AppealView }) {
  return (
    <Group justify="space-between" gap="xs" component="article" aria-label={`Appeal ${appeal.id}`}>
      <Group gap="xs">
        <StateBadge state={appeal.state} />
        <Text size="sm">{appeal.grounds.code}</Text>
        <Link size="sm" to={`/restrictions?subject=${appeal.subject}`}>{`${appeal.subject.slice(0, 9)}…${appeal.subject.slice(-6)}`}</Link>
      </Group>
      <Group gap="xs">
        {appeal.overdue && (
          <Badge color="red" variant="light" radius="sm" className="badge">
            OVERDUE
          </Badge>
        )}
        {appeal.remindedAt !== undefined && !appeal.overdue && (
          <Badge color="orange" variant="light" radius="sm" className="badge">
            DUE SOON
          </Badge>
        )}
        <Text size="xs" c="dimmed">
          answer due <Time at={appeal.dueAt} />
        </Text>
      </Group>
    </Group>
  );
}
