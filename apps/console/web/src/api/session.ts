import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { PermissionName, SignedInStaff } from '../../../src/api.js';
import { call, ProblemError } from './client.js';

const SESSION_KEY = ['session'];
const END_KEY = ['session-end'];

/** Who is signed in; `null`: nobody. Asked again every minute in the background, so an ended session closes the page by itself. */
export function useSession() {
  const queries = useQueryClient();
  return useQuery({
    queryKey: SESSION_KEY,
    queryFn: async () => {
      try {
        return await call<SignedInStaff>('/session', { background: true });
      } catch (error) {
        if (!(error instanceof ProblemError && error.signedOut)) throw error;
        rememberEnd(queries, error);
        return null;
      }
    },
    refetchInterval: 60_000,
    refetchOnWindowFocus: true,
  });
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (credentials: { name: string; password: string }) => call<SignedInStaff>('/session', { method: 'POST', body: credentials }),
    onSuccess: (staff) => queries.setQueryData(SESSION_KEY, staff),
  });
}

/** Forgets everything that was read and shows the sign-in page, with the server's reason where it has one. */
export function closeIfSignedOut(queries: QueryClient, error: Error): void {
  if (!(error instanceof ProblemError && error.signedOut)) return;
  rememberEnd(queries, error);
  forgetAll(queries);
}

/** The session's own entry stays: the page watches it, and would not hear of another in its place. */
function forgetAll(queries: QueryClient): void {
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION_KEY[0] && queryKey[0] !== END_KEY[0] });
  queries.setQueryData(SESSION_KEY, null);
}

/** Someone who was never signed in needs no reason. */
function rememberEnd(queries: QueryClient, { problem }: ProblemError): void {
  queries.setQueryData(END_KEY, problem.code === 'session.missing' ? null : problem.detail);
}

/** Why the last session ended by itself, if one did. */
export function useSessionEnd(): string | null {
  return useQuery<string | null>({ queryKey: END_KEY, queryFn: () => null, enabled: false, initialData: null }).data;
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => call<undefined>('/session', { method: 'DELETE' }),
    onSettled: async () => {
      // What was asked before and is answered later would sign in again, on the page at least.
      await queries.cancelQueries();
      queries.setQueryData(END_KEY, null);
      // Mutations hold what was sent: the password, for one.
      queries.getMutationCache().clear();
      forgetAll(queries);
    },
  });
}

export function may(staff: SignedInStaff, permission: PermissionName): boolean {
  return staff.permissions.includes(permission);
}
