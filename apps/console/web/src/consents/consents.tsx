import { Stack } from '@mantine/core';
import { IdSearch, useIdOrSubject } from '../parts/id-search.js';
import { PageHead, Section } from '../parts/page.js';
import { Empty } from '../parts/states.js';
import { OneConsent } from './one-consent.js';
import { SubjectConsents } from './subject-consents.js';

export default function Consents() {
  const { id, subject, search } = useIdOrSubject('consent');
  return (
    <>
      <PageHead title="Consents" about="What a subject allowed which bank to read, how that changed, and who saw what, when and why." />
      <Stack gap="lg">
        <IdSearch
          key={`search ${id || subject}`}
          label="Subject or consent"
          example="sub_… or cns_…"
          id={id || subject}
          onSearch={search}
        />
        {id !== '' && <OneConsent key={id} id={id} />}
        {id === '' && subject !== '' && <SubjectConsents key={subject} subject={subject} />}
        {id === '' && subject === '' && (
          <Section title="Whose consents?">
            <Empty title="Search for a subject or a consent">
              Every look at a subject&apos;s consents is a fact of the log. A subject changes them through the service it uses, never here.
            </Empty>
          </Section>
        )}
      </Stack>
    </>
  );
}
