import { Stack } from '@mantine/core';
import type { SignedInStaff } from '../../../src/api.js';
import { useParams } from '../api/router.js';
import { may } from '../api/session.js';
import { IdSearch } from '../parts/id-search.js';
import { PageHead } from '../parts/page.js';
import { Desk } from './desk.js';
import { Retractions } from './retractions.js';
import { SubjectRestrictions } from './subject-restrictions.js';

export default function Restrictions({ staff }: { staff: SignedInStaff }) {
  const [params, change] = useParams();
  const subject = params.get('subject') ?? '';
  const mayRead = may(staff, 'restrictions.read');
  return (
    <>
      <PageHead
        title="Restrictions"
        about={
          mayRead
            ? 'What stands against a subject, who appealed, what waits for a second person, and which bank has yet to hear.'
            : 'Which bank has yet to hear that a restriction is over, or a record withdrawn.'
        }
      />
      <Stack gap="lg">
        {mayRead && <IdSearch key={subject} label="Subject" example="sub_…" id={subject} onSearch={(next) => change({ subject: next })} />}
        {mayRead && subject !== '' && <SubjectRestrictions subject={subject} staff={staff} />}
        {mayRead && subject === '' && <Desk staff={staff} />}
        {subject === '' && <Retractions staff={staff} />}
      </Stack>
    </>
  );
}
