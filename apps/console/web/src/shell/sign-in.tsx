import { Alert, Button, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { ProblemError } from '../api/client.js';
import { useSessionEnd, useSignIn } from '../api/session.js';
import { Icon } from '../parts/icons.js';
import { sentence } from '../parts/states.js';
import { Brand } from './brand.js';
import { SchemeSwitch } from './shell.js';

export function SignIn() {
  useEffect(() => {
    document.title = 'Sign in · Tallystick';
  }, []);
  return (
    <main className="sign-in">
      <Paper withBorder p="xl" className="sign-in-card">
        <Group justify="space-between" mb="xl">
          <Brand size={30} />
          <SchemeSwitch />
        </Group>
        <Title order={1} size="h2" mb={4}>
          Sign in to the console
        </Title>
        <Text c="dimmed" size="sm" mb="lg">
          For staff. What you open here is written to the audit log.
        </Text>
        <SignInForm />
        <Text size="xs" c="dimmed" mt="lg">
          A session ends after 15 minutes without use. No account, or no password any more? An operator makes one with{' '}
          <span className="mono">tallystick staff</span>.
        </Text>
      </Paper>
    </main>
  );
}

function SignInForm() {
  const signIn = useSignIn();
  const waitSeconds = useWait(signIn.error);
  const ended = useSessionEnd();
  const password = useRef<HTMLInputElement>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const credentials = { name: String(form.get('name')).trim(), password: String(form.get('password')) };
    signIn.mutate(credentials, { onError: () => password.current?.select() });
  };
  const quiet = { required: true, withAsterisk: false } as const;
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" name="name" autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus {...quiet} />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          ref={password}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          {...quiet}
        />
        {ended !== null && !signIn.error && (
          <Alert color="ink" variant="light" icon={<Icon name="wait" />} role="status">
            {sentence(ended)}
          </Alert>
        )}
        {signIn.error && <Refused error={signIn.error} waitSeconds={waitSeconds} />}
        <Button type="submit" loading={signIn.isPending} disabled={waitSeconds > 0} fullWidth>
          {waitSeconds > 0 ? `Wait ${waitSeconds} s` : 'Sign in'}
        </Button>
      </Stack>
    </form>
  );
}

function Refused({ error, waitSeconds }: { error: Error; waitSeconds: number }) {
  const detail = error instanceof ProblemError ? error.problem.detail : 'Something broke; reload the page.';
  const throttled = error instanceof ProblemError && error.problem.status === 429;
  return (
    <Alert color={throttled ? 'yellow' : 'red'} variant="light" icon={<Icon name={throttled ? 'wait' : 'alert'} />} role="alert">
      {throttled
        ? waitSeconds > 0
          ? 'Too many failed attempts. The button opens again when the wait is over.'
          : 'The wait is over: you may try again.'
        : sentence(detail)}
    </Alert>
  );
}

/** Seconds left of the wait that a 429 asked for. */
function useWait(error: Error | null): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const seconds = error instanceof ProblemError ? (error.problem.retryAfterSeconds ?? 0) : 0;
    const end = Date.now() + seconds * 1000;
    const show = () => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000)));
    show();
    const timer = setInterval(show, 500);
    return () => clearInterval(timer);
  }, [error]);
  return left;
}
