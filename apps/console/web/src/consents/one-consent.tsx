import { Collapse, Stack, UnstyledButton } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import type { ConsentUseView, ConsentVersionView, OneConsentView } from '../../../src/api.js';
import { call, query } from '../api/client.js';
import { Section } from '../parts/page.js';
import { LoadMore, Rows } from '../parts/pages.js';
import { Id, Time } from '../parts/values.js';
import { ConsentArticle } from './consent-article.js';
import { wordsOf } from './consent-words.js';
import { usePages } from './subject-consents.js';
import { UseTable } from './use-table.js';

/** One consent with every version of its artefact and every read under it. */
export function OneConsent({ id }: { id: string }) {
  const path = `/consents/${encodeURIComponent(id)}`;
  const found = useInfiniteQuery({
    queryKey: ['consent', id],
    queryFn: ({ pageParam }) => call<OneConsentView>(`${path}${query({ after: pageParam })}`),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const uses = usePages<ConsentUseView>(['consent-uses', id], `${path}/uses`);
  const consent = found.data?.pages[0]?.consent;
  return (
    <>
      <Section title="Consent">
        <Rows of={found} label="Loading the consent" emptyTitle="It has no version" emptyAbout="Ask an operator: every consent has one.">
          {(versions) => (
            <Stack gap="lg">
              {consent && <ConsentArticle consent={consent} />}
              <VersionTable versions={versions} />
            </Stack>
          )}
        </Rows>
        <LoadMore of={found} />
      </Section>
      {consent && (
        <Section title="Reads under it">
          <Rows of={uses} label="Loading reads" emptyTitle="Nothing was read under it" emptyAbout="Each read stands here, with its fact.">
            {(rows) => <UseTable uses={rows} isOfOne />}
          </Rows>
          <LoadMore of={uses} />
        </Section>
      )}
    </>
  );
}

function VersionTable({ versions }: { versions: readonly ConsentVersionView[] }) {
  const [open, setOpen] = useState<number | undefined>();
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Time (UTC)</th>
          <th scope="col">What happened</th>
          <th scope="col">Through</th>
          <th scope="col">Fact</th>
        </tr>
      </thead>
      <tbody>
        {versions.map((one) => (
          <Fragment key={one.version}>
            <Version one={one} open={open === one.version} onToggle={() => setOpen(open === one.version ? undefined : one.version)} />
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

/** What opens is what the bank's signed artefact of this version says. */
function Version({ one, open, onToggle }: { one: ConsentVersionView; open: boolean; onToggle: () => void }) {
  return (
    <>
      <tr>
        <td data-label="Version">
          <UnstyledButton onClick={onToggle} aria-expanded={open} className="disclose" aria-label={`Artefact of version ${one.version}`}>
            <span aria-hidden="true">{open ? '▾' : '▸'}</span> {one.version}
          </UnstyledButton>
        </td>
        <td data-label="Time (UTC)">
          <Time at={one.at} bare />
        </td>
        <td data-label="What happened">{wordsOf(one.happened.replace('consent.', ''))}</td>
        <td data-label="Through">{one.via}</td>
        <td data-label="Fact">
          <Id value={one.fact} />
        </td>
      </tr>
      {open && (
        <tr className="fact-body">
          <td colSpan={5} data-label="" className="wide">
            <Collapse expanded={open}>
              <pre className="body-json">{JSON.stringify(one.content, null, 2)}</pre>
            </Collapse>
          </td>
        </tr>
      )}
    </>
  );
}
