import { Stack } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ConsentUseView, ConsentView, Page } from '../../../src/api.js';
import { call, query } from '../api/client.js';
import { Section } from '../parts/page.js';
import { LoadMore, Rows } from '../parts/pages.js';
import { ConsentArticle } from './consent-article.js';
import { UseTable } from './use-table.js';

/** Everything that a subject was asked for and allowed, and every read of its rating. */
export function SubjectConsents({ subject }: { subject: string }) {
  const path = `/subjects/${encodeURIComponent(subject)}`;
  const consents = usePages<ConsentView>(['consents', subject], `${path}/consents`);
  const uses = usePages<ConsentUseView>(['uses', subject], `${path}/uses`);
  return (
    <>
      <Section title="Consents of the subject">
        <Rows
          of={consents}
          label="Loading consents"
          emptyTitle="No bank has asked for anything"
          emptyAbout="A bank asks at the gateway; the subject allows or refuses it in the service it uses."
        >
          {(rows) => (
            <Stack gap="lg">
              {rows.map((consent) => (
                <ConsentArticle key={consent.id} consent={consent} isLinked />
              ))}
            </Stack>
          )}
        </Rows>
        <LoadMore of={consents} />
      </Section>
      <Section title="Who saw what, when, why">
        <Rows
          of={uses}
          label="Loading reads"
          emptyTitle="Nobody has read anything"
          emptyAbout="Each read under a consent stands here, with its fact."
        >
          {(rows) => <UseTable uses={rows} isOfOne={false} />}
        </Rows>
        <LoadMore of={uses} />
      </Section>
    </>
  );
}

/** A list that comes in pages, each page one look and so one fact. */
export function usePages<Row>(queryKey: readonly string[], path: string) {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => call<Page<Row>>(`${path}${query({ after: pageParam })}`),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}
