import { Button, Group, Stack, TextInput } from '@mantine/core';
import type { FormEvent } from 'react';
import { useParams } from '../api/router.js';
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
        <Search key={`search ${consent || subject}`} text={consent || subject} onSearch={search} />
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

function Search({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(String(new FormData(event.currentTarget).get('id')).trim());
  };
  return (
    <form role="search" onSubmit={submit}>
      <Group gap="xs" wrap="nowrap" align="flex-end">
        <TextInput
          name="id"
          defaultValue={text}
          label="Subject or consent"
          placeholder="sub_… or cns_…"
          maxLength={64}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          flex={1}
          miw={0}
        />
        <Button type="submit">Show</Button>
        {text !== '' && (
          <Button variant="default" onClick={() => onSearch('')}>
            Back
          </Button>
        )}
      </Group>
    </form>
  );
}
