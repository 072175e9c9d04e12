import { Group, Paper, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

/** A page's head: what this is, in one line, and what one can do with all of it. */
export function PageHead({ title, about, children }: { title: string; about: string; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Tallystick`;
  }, [title]);
  return (
    <Group justify="space-between" align="flex-end" gap="md" mb="lg">
      <div>
        <Title order={1}>{title}</Title>
        <Text c="dimmed" size="sm" mt={2}>
          {about}
        </Text>
      </div>
      {children}
    </Group>
  );
}

export function Section({ title, aside, children, id }: { title: string; aside?: ReactNode; children: ReactNode; id?: string }) {
  return (
    <Paper component="section" withBorder p={{ base: 'md', sm: 'lg' }} aria-label={title} {...(id === undefined ? {} : { id })}>
      <Group justify="space-between" mb="md" gap="xs">
        <Title order={2}>{title}</Title>
        {aside}
      </Group>
      {children}
    </Paper>
  );
}
