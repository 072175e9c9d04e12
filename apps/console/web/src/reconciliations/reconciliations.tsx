import { Stack } from '@mantine/core';
import type { SignedInStaff } from '../../../src/api.js';
import { useParams } from '../api/router.js';
import { IdSearch } from '../parts/id-search.js';
import { PageHead } from '../parts/page.js';
import { OneRun } from './one-run.js';
import { RunList } from './run-list.js';

export default function Reconciliations({ staff }: { staff: SignedInStaff }) {
  const [params, change] = useParams();
  const id = params.get('id') ?? '';
  return (
    <>
      <PageHead title="Reconciliations" about="The banks’ statements, held against what was confirmed here, and where the two disagree." />
      <Stack gap="lg">
        <IdSearch key={id} label="Reconciliation" example="rec_…" id={id} onSearch={(next) => change({ id: next })} />
        {id === '' ? <RunList /> : <OneRun id={id} staff={staff} />}
      </Stack>
    </>
  );
}
