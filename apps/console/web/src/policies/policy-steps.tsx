import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { PolicyView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { may } from '../api/session.js';
import { Failure } from '../parts/states.js';

/** A step that staff can take with a version now. With `asks` it is confirmed first. */
interface Step {
  readonly path: 'shadow' | 'approve' | 'activate' | 'retire';
  readonly label: string;
  readonly title: string;
  readonly asks?: string;
  readonly light?: true;
}

function stepsOf({ version, state, author, activatedAt }: PolicyView, staff: SignedInStaff): Step[] {
  if (!may(staff, 'policies.change')) return [];
  const isOpen = state === 'DRAFT' || state === 'SHADOW';
  const decidedBefore = state === 'RETIRED' && activatedAt !== null;
  const decides = 'It decides from this moment, in every process.';
  return [
    ...(state === 'DRAFT'
      ? [{ path: 'shadow', label: 'Start shadow', title: `Start the shadow of version ${version}`, light: true } as const]
      : []),
    ...(isOpen && author !== staff.name ? [{ path: 'approve', label: 'Approve', title: `Approve version ${version}` } as const] : []),
    ...(state === 'APPROVED'
      ? [{ path: 'activate', label: 'Activate', title: `Activate version ${version}`, asks: decides } as const]
      : []),
    ...(decidedBefore
      ? [{ path: 'activate', label: 'Reactivate', title: `Reactivate version ${version}`, asks: decides, light: true } as const]
      : []),
    ...(isOpen || state === 'APPROVED'
      ? [{ path: 'retire', label: 'Retire', title: `Retire version ${version}`, asks: 'It will never decide.', light: true } as const]
      : []),
  ];
}

interface PolicyStepsProps {
  readonly policy: PolicyView;
  readonly staff: SignedInStaff;
  readonly onShadow: (version: string) => void;
}

export function PolicySteps({ policy, staff, onShadow }: PolicyStepsProps) {
  const queries = useQueryClient();
  const [asked, ask] = useState<Step>();
  const step = useMutation({
    mutationFn: ({ path }: Step) => call<PolicyView>(`/policies/${policy.version}/${path}`, { method: 'POST' }),
    onSuccess: async () => {
      ask(undefined);
      await queries.invalidateQueries({ queryKey: ['policies'] });
    },
  });
  const { version, state, shadowedAt, author } = policy;
  const steps = stepsOf(policy, staff);
  const isOwn = (state === 'DRAFT' || state === 'SHADOW') && may(staff, 'policies.change') && author === staff.name;
  return (
    <Stack gap={6} align="flex-start">
      <Group gap={6}>
        {shadowedAt !== null && (
          <Button size="xs" variant="light" onClick={() => onShadow(version)} aria-label={`Shadow report of version ${version}`}>
            Shadow report
          </Button>
        )}
        {steps.map((one) => (
          <Button
            key={one.path}
            size="xs"
            variant={one.light ? 'light' : 'filled'}
            loading={step.isPending && step.variables.path === one.path}
            onClick={() => (one.asks === undefined ? step.mutate(one) : ask(one))}
            aria-label={one.title}
          >
            {one.label}
          </Button>
        ))}
      </Group>
      {shadowedAt === null && steps.length === 0 && !isOwn && (
        <Text size="xs" c="dimmed">
          {state === 'ACTIVE' ? 'It decides now.' : 'Nothing more.'}
        </Text>
      )}
      {asked && <Confirmation step={asked} busy={step.isPending} onYes={() => step.mutate(asked)} onNo={() => ask(undefined)} />}
      {isOwn && (
        <Text size="xs" c="dimmed">
          You wrote it: somebody else approves.
        </Text>
      )}
      {step.error && <Failure error={step.error} />}
    </Stack>
  );
}

interface ConfirmationProps {
  readonly step: Step;
  readonly busy: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

function Confirmation({ step: { title, asks }, busy, onYes, onNo }: ConfirmationProps) {
  return (
    <Group gap={6} role="group" aria-label={title}>
      <Text size="xs">
        {title}? {asks}
      </Text>
      <Button size="xs" loading={busy} onClick={onYes}>
        Yes
      </Button>
      <Button size="xs" variant="light" onClick={onNo}>
        No
      </Button>
    </Group>
  );
}
