import { MantineProvider } from '@mantine/core';
import '@mantine/core/styles.css';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ProblemError } from './api/client.js';
import { closeIfSignedOut } from './api/session.js';
import { App } from './app.js';
import './styles.css';
import { theme } from './theme.js';

const RETRIES_MAX = 2;

// A read may be a fact in the audit log, so nothing is fetched again just because a window got the focus.
const queries: QueryClient = new QueryClient({
  // Whatever call finds the session ended: the page closes at once and says why.
  queryCache: new QueryCache({ onError: (error) => closeIfSignedOut(queries, error) }),
  mutationCache: new MutationCache({ onError: (error) => closeIfSignedOut(queries, error) }),
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (failures, error) => failures < RETRIES_MAX && error instanceof ProblemError && error.passing,
    },
  },
});

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
