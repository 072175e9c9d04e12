import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  NavLink,
  ScrollArea,
  Stack,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type ReactNode, useEffect } from 'react';
import type { SignedInStaff } from '../../../src/api.js';
import { followInApp } from '../api/router.js';
import { useSignOut } from '../api/session.js';
import { Icon, type IconName } from '../parts/icons.js';
import { Brand } from './brand.js';

interface ShellProps {
  readonly staff: SignedInStaff;
  readonly pages: readonly { readonly path: string; readonly label: string; readonly icon: IconName }[];
  readonly path: string;
  readonly children: ReactNode;
}

export function Shell({ staff, pages, path, children }: ShellProps) {
  const [opened, { toggle, close }] = useDisclosure();
  useEffect(close, [path, close]);
  return (
    <AppShell
      header={{ height: { base: 52, sm: 0 } }}
      navbar={{ width: 224, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={{ base: 'md', sm: 'xl' }}
    >
      <a className="skip" href="#content">
        Skip to content
      </a>
      <AppShell.Header hiddenFrom="sm" px="md">
        <Group h="100%" justify="space-between">
          <Brand size={24} />
          <Burger
            opened={opened}
            onClick={toggle}
            size="sm"
            aria-label={opened ? 'Close the menu' : 'Open the menu'}
            aria-expanded={opened}
          />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="md" aria-label="Main menu" className="navbar">
        <AppShell.Section visibleFrom="sm" mb="xl" px={6} pt={4}>
          <Brand />
        </AppShell.Section>
        <AppShell.Section grow component={ScrollArea}>
          {pages.map(({ path: to, label, icon }) => (
            <NavLink
              key={to}
              href={to}
              label={label}
              leftSection={<Icon name={icon} />}
              active={to === path}
              {...(to === path ? { 'aria-current': 'page' as const } : {})}
              onClick={(event) => {
                followInApp(event, to);
                close();
              }}
              className="nav-link"
            />
          ))}
        </AppShell.Section>
        <AppShell.Section className="navbar-foot">
          <Account staff={staff} />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <div className="page">{children}</div>
      </AppShell.Main>
    </AppShell>
  );
}

function Account({ staff }: { staff: SignedInStaff }) {
  const signOut = useSignOut();
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs">
      <Stack gap={0} miw={0}>
        <Text size="sm" fw={600} truncate>
          {staff.name}
        </Text>
        <Text size="xs" c="dimmed" tt="capitalize">
          {staff.role}
        </Text>
      </Stack>
      <Group gap={4} wrap="nowrap">
        <SchemeSwitch />
        <Tooltip label="Sign out" withArrow>
          <ActionIcon variant="subtle" color="gray" aria-label="Sign out" loading={signOut.isPending} onClick={() => signOut.mutate()}>
            <Icon name="leave" />
          </ActionIcon>
        </Tooltip>
      </Group>
    </Group>
  );
}

export function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light') === 'dark';
  const label = dark ? 'Use light colours' : 'Use dark colours';
  return (
    <Tooltip label={label} withArrow>
      <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={() => setColorScheme(dark ? 'light' : 'dark')}>
        <Icon name={dark ? 'sun' : 'moon'} />
      </ActionIcon>
    </Tooltip>
  );
}
