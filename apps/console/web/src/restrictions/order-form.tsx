import { Alert, Button, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { OrderView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Section } from '../parts/page.js';
import { Failure } from '../parts/states.js';

export type Wanted = { readonly kind: 'IMPOSE' } | { readonly kind: 'LIFT' | 'UPHOLD' | 'OVERTURN'; readonly restriction: string };

const TITLES: Readonly<Record<Wanted['kind'], string>> = {
  IMPOSE: 'Impose a restriction',
  LIFT: 'Lift a restriction early',
  UPHOLD: 'Answer the appeal: the restriction stays',
  OVERTURN: 'Answer the appeal: the restriction is lifted',
};

/** One order, with reason and evidence. Its key is made once: pressing twice orders once. */
export function OrderForm({ subject, wanted, onDone }: { subject: string; wanted: Wanted; onDone: () => void }) {
  const queries = useQueryClient();
  const [key] = useState(() => crypto.randomUUID());
  const order = useMutation({
    mutationFn: (body: object) =>
      call<OrderView>(`/subjects/${encodeURIComponent(subject)}/restriction-orders`, { method: 'POST', body, key }),
    onSuccess: () => queries.invalidateQueries(),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    order.mutate(orderOf(wanted, new FormData(event.currentTarget)));
  };
  if (order.data) return <Ordered order={order.data} onDone={onDone} />;
  const quiet = { required: true, withAsterisk: false } as const;
  return (
    <Section title={TITLES[wanted.kind]}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          {wanted.kind === 'IMPOSE' && <SanctionFields />}
          <Group grow gap="sm" preventGrowOverflow={false} align="flex-start">
            <TextInput
              name="code"
              label="Reason code"
              placeholder="FRAUD_CONFIRMED"
              pattern="[A-Z0-9][A-Z0-9_]+"
              maxLength={40}
              {...quiet}
            />
            <TextInput name="text" label="Reason in words" maxLength={200} {...quiet} />
          </Group>
          <Group grow gap="sm" preventGrowOverflow={false} align="flex-start">
            <TextInput name="reference" label="Evidence: where it is kept" placeholder="case-2026-0815" maxLength={200} {...quiet} />
            <TextInput name="digest" label="Evidence: SHA-256" pattern="[0-9a-f]{64}" title="64 of 0-9 and a-f" maxLength={64} {...quiet} />
          </Group>
          {order.error && <Failure error={order.error} />}
          <Group gap="xs">
            <Button type="submit" loading={order.isPending}>
              Order it
            </Button>
            <Button variant="default" onClick={onDone}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}

function Ordered({ order, onDone }: { order: OrderView; onDone: () => void }) {
  const isDone = order.state === 'DONE';
  return (
    <Alert color={isDone ? 'teal' : 'blue'} variant="light" title={isDone ? 'Done' : 'Waiting for a second person'} role="status">
      <Text size="sm">
        {isDone
          ? 'It counts for the next decision already.'
          : 'Another member of staff with the same right approves or declines it on the Restrictions page.'}
      </Text>
      <Button size="xs" variant="default" mt="sm" onClick={onDone}>
        Close
      </Button>
    </Alert>
  );
}

function SanctionFields() {
  const [step, setStep] = useState('WARN');
  return (
    <Group grow gap="sm" preventGrowOverflow={false} align="flex-start">
      <NativeSelect
        name="step"
        label="Step"
        value={step}
        onChange={(event) => setStep(event.currentTarget.value)}
        data={[
          { value: 'WARN', label: 'Warning' },
          { value: 'LIMIT_CUT', label: 'Limit cut' },
          { value: 'SERVICE_STOP', label: 'Service stop' },
          { value: 'CLOSURE', label: 'Closure (second person)' },
          { value: 'BANK_NOTICE', label: 'Notice to the banks' },
        ]}
      />
      {step === 'LIMIT_CUT' && (
        <TextInput
          name="percent"
          type="number"
          min={0}
          max={99}
          label="Leaves, in percent"
          defaultValue="50"
          required
          withAsterisk={false}
        />
      )}
      <TextInput name="services" label="Services" placeholder="all; or names, separated by commas" />
      <TextInput name="days" type="number" min={1} max={3650} label="Days" placeholder="until lifted" />
    </Group>
  );
}

function orderOf(wanted: Wanted, form: FormData): object {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const about = { reason: { code: text('code'), text: text('text') }, evidence: { digest: text('digest'), reference: text('reference') } };
  if (wanted.kind !== 'IMPOSE') return { ...wanted, ...about };
  const services = text('services')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const sanction = {
    step: text('step'),
    services,
    ...(text('percent') === '' ? {} : { limitPercent: Number(text('percent')) }),
    ...(text('days') === '' ? {} : { days: Number(text('days')) }),
  };
  return { kind: 'IMPOSE', sanction, ...about };
}
