import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { PermissionName, SignedInStaff } from '../../../src/api.js';
import { call, ProblemError } from './client.js';

const SESSION_KEY = ['session'];

/** Who is signed in; `null`: nobody. Asked again every minute in the background, so an ended session closes the page by itself. */
export function useSession() {
  return useQuery({
    queryKey: SESSION_KEY,
    queryFn: async () => {
      try {
        return await call<SignedInStaff>('/session', { background: true });
      } catch (error) {
        if (error instanceof ProblemError && error.signedOut) return null;
        throw error;
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

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => call<undefined>('/session', { method: 'DELETE' }),
    onSettled: () => {
      queries.clear();
      queries.setQueryData(SESSION_KEY, null);
    },
  });
}

export function may(staff: SignedInStaff, permission: PermissionName): boolean {
  return staff.permissions.includes(permission);
}
