import { Button, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { DisputeDeskView, DisputeView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { useParams } from '../api/router.js';
import { PageHead, Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { count } from '../parts/values.js';
import { AffectedList } from './affected-list.js';
import { DisputeArticle } from './dispute-article.js';
import { NoticeTable } from './notice-table.js';

export default function Disputes({ staff }: { staff: SignedInStaff }) {
  const [params, change] = useParams();
  const id = params.get('dispute') ?? '';
  return (
    <>
      <PageHead
        title="Disputes"
        about="Records that are disputed, until when their banks answer, who has heard, and which decisions used them."
      >
        {id !== '' && (
          <Button variant="default" onClick={() => change({ dispute: '' })}>
            All disputes
          </Button>
        )}
      </PageHead>
      {id === '' ? <Desk /> : <One key={id} id={id} staff={staff} />}
    </>
  );
}

function Desk() {
  const desk = useQuery({ queryKey: ['disputes'], queryFn: () => call<DisputeDeskView>('/disputes') });
  return (
    <Section title="Open disputes, and results that somebody has yet to hear">
      <Loaded of={desk} label="Loading disputes" lines={6}>
        {({ disputes, more }) =>
          disputes.length === 0 ? (
            <Empty title="Nothing is disputed">A subject disputes a record through the service it uses; a bank may flag its own.</Empty>
          ) : (
            <Stack gap="lg">
              {disputes.map((one) => (
                <DisputeArticle key={one.id} dispute={one} isLinked />
              ))}
              {more && (
                <Text size="xs" c="dimmed">
                  The first {count(disputes.length)} that are due; `tallystick disputes list` shows more.
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
