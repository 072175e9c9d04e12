import { Button, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { ExportRequest, ExportView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Section } from '../parts/page.js';
import { Failure } from '../parts/states.js';

type Span = 'day' | 'range';

const utcDay = (): string => new Date().toISOString().slice(0, 10);

export function ExportForm() {
  const queries = useQueryClient();
  const [span, setSpan] = useState<Span>('day');
  const request = useMutation({
    mutationFn: (wanted: ExportRequest) => call<ExportView>('/exports', { method: 'POST', body: wanted }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['exports'] }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    request.mutate(wantedOf(span, new FormData(event.currentTarget)));
  };
  return (
    <Section title="Export">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text size="sm" c="dimmed">
            A bundle over a consecutive part of the log. Entries of other kinds go along as hashes, so nobody can leave one out unseen.
          </Text>
          <SegmentedControl
            aria-label="What to export"
            value={span}
            onChange={(value) => setSpan(value as Span)}
            data={[
              { value: 'day', label: 'One day' },
              { value: 'range', label: 'From – to' },
            ]}
          />
          <SpanFields span={span} />
          <TextInput
            name="kind"
            label="Only this kind"
            placeholder="every kind"
            description="For example record.accepted or decision.made"
            maxLength={60}
            autoCapitalize="none"
            spellCheck={false}
          />
          {request.error && <Failure error={request.error} />}
          <Button type="submit" loading={request.isPending} mt={4}>
            Create the export
          </Button>
        </Stack>
      </form>
    </Section>
  );
}

function SpanFields({ span }: { span: Span }) {
  const quiet = { required: true, withAsterisk: false } as const;
  if (span === 'day') return <TextInput type="date" name="day" label="Day (UTC)" defaultValue={utcDay()} max={utcDay()} {...quiet} />;
  return (
    <Group grow gap="sm" preventGrowOverflow={false}>
      <TextInput type="datetime-local" name="from" label="From (UTC)" defaultValue={`${utcDay()}T00:00`} {...quiet} />
      <TextInput type="datetime-local" name="to" label="To (UTC)" defaultValue={`${utcDay()}T23:59`} {...quiet} />
    </Group>
  );
}

const DAY_MS = 86_400_000;

/** The fields' times are UTC, as their labels say: no time zone of the browser is applied. */
function wantedOf(span: Span, form: FormData): ExportRequest {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const kind = text('kind') === '' ? {} : { kind: text('kind') };
  if (span === 'range') return { from: `${text('from')}:00.000Z`, to: `${text('to')}:00.000Z`, ...kind };
  const from = `${text('day')}T00:00:00.000Z`;
  return { from, to: new Date(Date.parse(from) + DAY_MS).toISOString(), ...kind };
}
