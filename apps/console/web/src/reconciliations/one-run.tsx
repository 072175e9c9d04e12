import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { RunFileView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { Link } from '../api/router.js';
import { may } from '../api/session.js';
import { Section } from '../parts/page.js';
import { Empty, Loaded, sentence } from '../parts/states.js';
import { ago, bytes, count, Id, StateBadge, Time } from '../parts/values.js';
import { BreakList } from './break-list.js';
import { breaksText } from './run-list.js';

export function OneRun({ id, staff }: { id: string; staff: SignedInStaff }) {
  const found = useQuery({
    queryKey: ['reconciliation', id],
    queryFn: () => call<RunFileView>(`/reconciliations/${encodeURIComponent(id)}`),
  });
  const mayTrace = may(staff, 'decisions.read');
  return (
    <Loaded of={found} label="Loading the reconciliation" lines={8}>
      {(view) => (
        <Stack gap="lg">
          <Section
            title={`Statement of ${view.run.participant}`}
            aside={mayTrace && <Link to={`/decisions?id=${view.run.id}`}>Trace, with its facts</Link>}
          >
            <Figures view={view} />
          </Section>
          {view.statements.length > 0 && (
            <Section title="Control totals">
              <Totals statements={view.statements} />
            </Section>
          )}
          <Section title="Breaks">
            {mayTrace ? (
              <BreakList run={view.run} at={view.at} />
            ) : (
              <Empty title="Single breaks are not open to your role">
                They name payments of people. Compliance, risk and auditors see them; the numbers above are for all.
              </Empty>
            )}
          </Section>
        </Stack>
      )}
    </Loaded>
  );
}

function Figures({ view: { at, run, file } }: { view: RunFileView }) {
  return (
    <dl className="details">
      <Figure label="State">
        <StateBadge state={run.state} />
      </Figure>
      <Figure label="Received">
        <Time at={run.receivedAt} />, {ago(run.receivedAt, at)}
      </Figure>
      <Figure label="Closed">{run.closedAt === null ? 'not yet' : <Time at={run.closedAt} />}</Figure>
      <Figure label="Lines">
        {count(run.lines.total)}, of which {count(run.lines.read)} read and {count(run.lines.matched)} matched against ours
      </Figure>
      <Figure label="Breaks">{sentence(breaksText(run))}</Figure>
      <Figure label="Reconciliation">
        <Id value={run.id} />
      </Figure>
      <Figure label="File">
        {bytes(file.sizeBytes)}, {count(file.entries)} entries
      </Figure>
      <Figure label="SHA-256 of the file">
        <Id value={file.digest} />
      </Figure>
    </dl>
  );
}

function Figure({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Totals({ statements }: { statements: RunFileView['statements'] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Statement</th>
          <th scope="col">Account</th>
          <th scope="col">Ties</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {statements.map(({ id, account, balanced, reason }, i) => (
          <tr key={i}>
            <td data-label="Statement" className="breakable">
              {id}
            </td>
            <td data-label="Account" className="breakable">
              {account ?? '—'}
            </td>
            <td data-label="Ties">
              <Text size="sm" span {...(balanced === true ? {} : { c: 'red' })}>
                {balanced === null ? 'not known' : balanced ? 'yes' : 'no'}
              </Text>
            </td>
            <td data-label="Why" className="wide">
              {reason}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
