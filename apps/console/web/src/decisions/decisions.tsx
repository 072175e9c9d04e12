import { Stack } from '@mantine/core';
import type { SignedInStaff } from '../../../src/api.js';
import { useParams } from '../api/router.js';
import { IdSearch } from '../parts/id-search.js';
import { PageHead } from '../parts/page.js';
import { DecisionList } from './decision-list.js';
import { Trace } from './trace.js';

export default function Decisions({ staff }: { staff: SignedInStaff }) {
  const [params, change] = useParams();
  const id = params.get('id') ?? '';
  return (
    <>
      <PageHead title="Decisions" about="Paste any id and see how it came about: record, score, decision, reservation, statement line." />
      <Stack gap="lg">
        <IdSearch
          key={id}
          label="Paste any id"
          description="Decision, reservation, record, payment reference, subject, consent, dispute, fact, statement or reconciliation"
          example="dec_… rsv_… sub_… fct_… or a payment reference"
          id={id}
          onSearch={(next) => change({ id: next })}
        />
        {id === '' ? <DecisionList /> : <Trace id={id} staff={staff} />}
      </Stack>
    </>
  );
}
