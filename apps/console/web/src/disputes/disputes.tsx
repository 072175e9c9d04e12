import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { DisputeDeskView, DisputeView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { IdSearch, useIdOrSubject } from '../parts/id-search.js';
import { PageHead, Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { count } from '../parts/values.js';
import { AffectedList } from './affected-list.js';
import { DisputeArticle } from './dispute-article.js';
import { NoticeTable } from './notice-table.js';

export default function Disputes({ staff }: { staff: SignedInStaff }) {
  const { id, subject, search } = useIdOrSubject('dispute');
  return (
    <>
      <PageHead
        title="Disputes"
        about="Records that are disputed, until when their banks answer, who has heard, and which decisions used them."
      />
      <Stack gap="lg">
        <IdSearch
          key={`search ${id || subject}`}
          label="Dispute or subject"
          example="dsp_… or sub_…"
          id={id || subject}
          onSearch={search}
        />
        {id === '' ? <Desk subject={subject} /> : <One key={id} id={id} staff={staff} />}
      </Stack>
    </>
  );
}

/** What is to be done; or everything of one subject, closed disputes too. */
function Desk({ subject }: { subject: string }) {
  const path = subject === '' ? '/disputes' : `/disputes?subject=${encodeURIComponent(subject)}`;
  const desk = useQuery({ queryKey: ['disputes', subject], queryFn: () => call<DisputeDeskView>(path) });
  return (
    <Section title={subject === '' ? 'Open disputes, and results that somebody has yet to hear' : 'Disputes of the subject'}>
      <Loaded of={desk} label="Loading disputes" lines={6}>
        {({ disputes, more }) =>
          disputes.length === 0 ? (
            <Empty title="Nothing is disputed">
              A subject disputes a record through the service it uses; a bank may flag its own. What is settled is found by its id, or by
              its subject.
            </Empty>
          ) : (
            <Stack gap="lg">
              {disputes.map((one) => (
                <DisputeArticle key={one.id} dispute={one} isLinked />
              ))}
              {more && (
                <Text size="xs" c="dimmed">
                  {subject === '' ? `The first ${count(disputes.length)} that are due` : `The newest ${count(disputes.length)}`};
                  `tallystick disputes list` shows more.
                </Text>
              )}
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}

function One({ id, staff }: { id: string; staff: SignedInStaff }) {
  const found = useQuery({
    queryKey: ['dispute', id],
    queryFn: () => call<{ at: string; dispute: DisputeView }>(`/disputes/${encodeURIComponent(id)}`),
  });
  return (
    <Loaded of={found} label="Loading the dispute" lines={6}>
      {({ dispute }) => (
        <Stack gap="lg">
          <Section title="Dispute">
            <DisputeArticle dispute={dispute} />
          </Section>
          <Section title="Who was told">
            <NoticeTable notices={dispute.notices} />
          </Section>
          <AffectedList id={id} staff={staff} />
        </Stack>
      )}
    </Loaded>
  );
}
