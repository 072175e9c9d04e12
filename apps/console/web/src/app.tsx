import { Center, Loader } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { PagePath, PermissionName, SignedInStaff } from '../../src/api.js';
import { may, useSession } from './api/session.js';
import { usePath } from './api/router.js';
import { PageHead } from './parts/page.js';
import { Empty, Failure, Loading } from './parts/states.js';
import { Shell } from './shell/shell.js';
import { SignIn } from './shell/sign-in.js';

/** The pages, in the order of the menu. A page is fetched when it is first opened. */
const PAGES = [
  { path: '/', label: 'Overview', icon: 'overview', needs: 'overview.read', view: lazy(() => import('./overview/overview.js')) },
  {
    path: '/decisions',
    label: 'Decisions',
    icon: 'decisions',
    needs: 'decisions.read',
    view: lazy(() => import('./decisions/decisions.js')),
  },
  {
    path: '/restrictions',
    label: 'Restrictions',
    icon: 'restriction',
    needs: 'retractions.read',
    view: lazy(() => import('./restrictions/restrictions.js')),
  },
  { path: '/consents', label: 'Consents', icon: 'consent', needs: 'consents.read', view: lazy(() => import('./consents/consents.js')) },
  { path: '/disputes', label: 'Disputes', icon: 'record', needs: 'restrictions.read', view: lazy(() => import('./disputes/disputes.js')) },
  {
    path: '/reconciliations',
    label: 'Reconciliations',
    icon: 'statement',
    needs: 'reconciliations.read',
    view: lazy(() => import('./reconciliations/reconciliations.js')),
  },
  { path: '/policies', label: 'Policies', icon: 'policies', needs: 'policies.read', view: lazy(() => import('./policies/policies.js')) },
  { path: '/audit', label: 'Audit', icon: 'audit', needs: 'audit.read', view: lazy(() => import('./audit/audit.js')) },
  // It reads nothing of ours but public keys, so it is open to all.
  { path: '/verify', label: 'Verify', icon: 'seal', needs: 'overview.read', view: lazy(() => import('./verify/verify.js')) },
  { path: '/partners', label: 'Partners', icon: 'partners', needs: 'partners.read', view: lazy(() => import('./partners/partners.js')) },
] as const satisfies readonly { path: PagePath; needs: PermissionName; [other: string]: unknown }[];

export function App() {
  const session = useSession();
  if (session.isPending) {
    return (
      <Center h="100vh" role="status" aria-label="Starting the console">
        <Loader />
      </Center>
    );
  }
  // A minute without network must not throw anybody out of what they were reading.
  if (session.data === undefined) {
    return (
      <Center h="100vh" p="md">
        <Failure error={session.error} onRetry={() => void session.refetch()} />
      </Center>
    );
  }
  if (session.data === null) return <SignIn />;
  return <Signed staff={session.data} />;
}

function Signed({ staff }: { staff: SignedInStaff }) {
  const path = usePath();
  const pages = PAGES.filter(({ needs }) => may(staff, needs));
  const page = PAGES.find((candidate) => candidate.path === path);
  return (
    <Shell staff={staff} pages={pages} path={path}>
      {page === undefined ? (
        <>
          <PageHead title="No page" about={path} />
          <Empty title="There is no such page">Use the menu; the address may be mistyped.</Empty>
        </>
      ) : !may(staff, page.needs) ? (
        <>
          <PageHead title={page.label} about={`You are signed in as ${staff.name} (${staff.role}).`} />
          <Empty title={`${page.label} is not open to your role`}>Ask compliance if you need it.</Empty>
        </>
      ) : (
        <Suspense fallback={<Loading label={`Loading ${page.label}`} />}>
          <page.view staff={staff} />
        </Suspense>
      )}
    </Shell>
  );
}
