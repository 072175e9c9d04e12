import { Alert, Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ProblemError } from '../api/client.js';
import { Icon } from './icons.js';

/** Nothing to show is said in words, with what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <Text fw={600}>{title}</Text>
      {children && (
        <Text size="sm" c="dimmed" maw={460} mx="auto">
          {children}
        </Text>
      )}
    </div>
  );
}

/** What went wrong, in the server's own words, with the number that finds it in the logs. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = error instanceof ProblemError ? error.problem : undefined;
  return (
    <Alert color="red" variant="light" icon={<Icon name="alert" />} title={problem?.title ?? 'This page broke'} role="alert">
      <Text size="sm">{problem ? sentence(problem.detail) : 'Reload the page; if it happens again, tell an operator.'}</Text>
      {problem?.instance && (
        <Text size="xs" c="dimmed" mt={6} className="mono breakable">
          {problem.code} · {problem.instance.replace('urn:uuid:', '')}
        </Text>
      )}
      {onRetry && (
        <Button size="xs" variant="default" mt="sm" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

/** Keeps the place of what is coming, so that nothing jumps. */
export function Loading({ lines = 4, label }: { lines?: number; label: string }) {
  return (
    <Stack gap="sm" role="status" aria-label={label} py="xs">
      {Array.from({ length: lines }, (_, i) => (
        <Group key={i} gap="md" wrap="nowrap">
          <Skeleton height={14} width={88} />
          <Skeleton height={14} width={`${70 - ((i * 13) % 35)}%`} />
        </Group>
      ))}
    </Stack>
  );
}

/** One of the three states of a query, or its content. */
export function Loaded<T>({
  of,
  label,
  children,
  lines,
}: {
  of: UseQueryResult<T>;
  label: string;
  children: (data: T) => ReactNode;
  lines?: number;
}) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.isError) return <Failure error={of.error} onRetry={() => void of.refetch()} />;
  return <Loading label={label} {...(lines === undefined ? {} : { lines })} />;
}

export function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}
