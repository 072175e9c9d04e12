import { Button, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import type { BacktestView, PolicyView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Section } from '../parts/page.js';
import { Failure } from '../parts/states.js';

const RECORDED = 'recorded';

export function BacktestForm({ policies }: { policies: readonly PolicyView[] }) {
  const queries = useQueryClient();
  const request = useMutation({
    mutationFn: (form: FormData) => call<BacktestView>('/backtests', { method: 'POST', body: wantedOf(form) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['backtests'] }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    request.mutate(new FormData(event.currentTarget));
  };
  const versions = policies.map(({ id, version, state }) => ({ value: version, label: `${id} ${version} (${state.toLowerCase()})` }));
  return (
    <Section title="Back-test">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text size="sm" c="dimmed">
            Decides recorded history again, with limits, reservations and expiries counted anew. Nothing changes for anybody.
          </Text>
          <NativeSelect
            name="version"
            label="Under"
            data={[...versions, { value: RECORDED, label: 'Each decision by its own version (a check of the ledger)' }]}
          />
          <Group grow gap="sm" preventGrowOverflow={false}>
            <TextInput type="datetime-local" name="from" label="From (UTC)" description="Empty: from the beginning" />
            <TextInput type="datetime-local" name="to" label="To (UTC)" description="Empty: up to now" />
          </Group>
          <NativeSelect
            name="assume"
            label="What was denied and would be held"
            data={[
              { value: 'CONFIRMED', label: 'counts as confirmed in full' },
              { value: 'EXPIRED', label: 'counts as held, then as expired' },
            ]}
          />
          <NativeSelect
            name="begin"
            label="Counters at the beginning"
            data={[
              { value: 'CONTINUE', label: 'go on by the limits’ names' },
              { value: 'COUNTED', label: 'as if the version had always counted' },
            ]}
          />
          {request.error && <Failure error={request.error} />}
          <Button type="submit" loading={request.isPending} mt={4}>
            Start the back-test
          </Button>
        </Stack>
      </form>
    </Section>
  );
}

/** The fields' times are UTC, as their labels say. */
function wantedOf(form: FormData): object {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const time = (name: string) => (text(name) === '' ? {} : { [name]: `${text(name)}:00.000Z` });
  const version = text('version') === RECORDED ? {} : { version: text('version') };
  return { ...version, ...time('from'), ...time('to'), assume: text('assume'), begin: text('begin') };
}
