import { Stack } from '@mantine/core';
import { useParams } from '../api/router.js';
import { IdSearch } from '../parts/id-search.js';
import { PageHead, Section } from '../parts/page.js';
import { Empty } from '../parts/states.js';
import { OneConsent } from './one-consent.js';
import { SubjectConsents } from './subject-consents.js';

export default function Consents() {
  const [params, change] = useParams();
  const [subject, consent] = [params.get('subject') ?? '', params.get('consent') ?? ''];
  const search = (text: string) => change(text.startsWith('cns_') ? { consent: text, subject: '' } : { subject: text, consent: '' });
  return (
    <>
      <PageHead title="Consents" about="What a subject allowed which bank to read, how that changed, and who saw what, when and why." />
      <Stack gap="lg">
        <IdSearch
          key={`search ${consent || subject}`}
          label="Subject or consent"
          example="sub_… or cns_…"
          id={consent || subject}
          onSearch={search}
        />
        {consent !== '' && <OneConsent key={consent} id={consent} />}
        {consent === '' && subject !== '' && <SubjectConsents key={subject} subject={subject} />}
        {consent === '' && subject === '' && (
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
