import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { PartnerView } from '../../../src/api.js';
import { type Action, actionsOf } from './actions-of.js';
import { call } from '../api/client.js';
import { Failure } from '../parts/states.js';
import { Time } from '../parts/values.js';

export function PartnerActions({ partner }: { partner: PartnerView }) {
  const [open, setOpen] = useState<Action>();
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: ({ action, body }: { action: Action; body: object }) =>
      call(`/partners/${encodeURIComponent(partner.id)}/${action.path}`, { method: 'POST', body }),
    onSuccess: async () => {
      setOpen(undefined);
      await queries.invalidateQueries({ queryKey: ['partners'] });
    },
  });
  const actions = actionsOf(partner);
  if (actions.length === 0) return null;
  const choose = (action: Action) => {
    act.reset();
    setOpen(action.asks ? action : undefined);
    if (!action.asks) act.mutate({ action, body: {} });
  };
  return (
    <Stack gap="xs" mt="md">
      <Group gap="xs">
        {actions.map((action) => (
          <Button key={action.path} size="xs" variant="light" color={action.color ?? 'ink'} onClick={() => choose(action)}>
            {action.label}
          </Button>
        ))}
      </Group>
      {open && (
        <ReasonForm
          action={open}
          name={partner.name}
          busy={act.isPending}
          onCancel={() => setOpen(undefined)}
          onSubmit={(body) => act.mutate({ action: open, body })}
        />
      )}
      {act.error && <Failure error={act.error} />}
    </Stack>
  );
}

interface ReasonFormProps {
  readonly action: Action;
  readonly name: string;
  readonly busy: boolean;
  readonly onCancel: () => void;
  readonly onSubmit: (body: object) => void;
}

function ReasonForm({ action, name, busy, onCancel, onSubmit }: ReasonFormProps) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const from = String(form.get('from') ?? '');
    onSubmit({ reason: String(form.get('reason')), ...(from === '' ? {} : { from: `${from}:00.000Z` }) });
  };
  return (
    <form onSubmit={submit}>
      <Group gap="sm" align="flex-end">
        <TextInput name="reason" label={`Why (${name})`} required withAsterisk={false} maxLength={200} autoFocus style={{ flexGrow: 1 }} />
        {action.later && <TextInput type="datetime-local" name="from" label="From (UTC); empty: at once" />}
        <Button type="submit" color={action.color ?? 'ink'} loading={busy}>
          {action.label}
        </Button>
        <Button variant="subtle" color="gray" onClick={onCancel}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}

/** What waits for its time or for a second person. */
export function Pending({ suspension, closing }: PartnerView) {
  return (
    <>
      {suspension && (
        <Text size="sm" c="orange" mb="sm">
          Will be suspended on <Time at={suspension.from} />: {suspension.reason}
        </Text>
      )}
      {closing && (
        <Text size="sm" c="red" mb="sm">
          {closing.byMe ? 'You proposed' : `${closing.by} proposed`} to close it on <Time at={closing.at} />: {closing.reason}.{' '}
          {closing.byMe ? 'Somebody else must confirm.' : 'You may confirm.'}
        </Text>
      )}
    </>
  );
}
