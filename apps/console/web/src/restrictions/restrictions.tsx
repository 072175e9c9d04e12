import { Button, Group, Stack, TextInput } from '@mantine/core';
import type { FormEvent } from 'react';
import type { SignedInStaff } from '../../../src/api.js';
import { useParams } from '../api/router.js';
import { may } from '../api/session.js';
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
        about="What stands against a subject, who appealed, what waits for a second person, and which bank has yet to hear."
      />
      <Stack gap="lg">
        {mayRead && <SubjectSearch key={subject} subject={subject} onSearch={(next) => change({ subject: next })} />}
        {mayRead && subject !== '' && <SubjectRestrictions subject={subject} staff={staff} />}
        {mayRead && subject === '' && <Desk staff={staff} />}
        {subject === '' && <Retractions />}
      </Stack>
    </>
  );
}

function SubjectSearch({ subject, onSearch }: { subject: string; onSearch: (subject: string) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(String(new FormData(event.currentTarget).get('subject')).trim());
  };
  return (
    <form role="search" onSubmit={submit}>
      <Group gap="xs" wrap="nowrap" align="flex-end">
        <TextInput
          name="subject"
          defaultValue={subject}
          label="Subject"
          placeholder="sub_…"
          maxLength={64}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          flex={1}
          miw={0}
        />
        <Button type="submit">Show</Button>
        {subject !== '' && (
          <Button variant="default" onClick={() => onSearch('')}>
            Back
          </Button>
        )}
      </Group>
    </form>
  );
}
