import { SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { PolicyView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { useParams } from '../api/router.js';
import { may } from '../api/session.js';
import { PageHead, Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { Id, StateBadge, Time } from '../parts/values.js';
import { BacktestForm } from './backtest-form.js';
import { BacktestList } from './backtest-list.js';
import { BacktestReport } from './backtest-report.js';
import { PolicyCheck } from './policy-check.js';
import { PolicySteps } from './policy-steps.js';
import { ShadowReport } from './shadow-report.js';

export default function Policies({ staff }: { staff: SignedInStaff }) {
  const [params, change] = useParams();
  const [shadow, backtest] = [params.get('shadow'), params.get('backtest')];
  const policies = useQuery({ queryKey: ['policies'], queryFn: () => call<{ policies: PolicyView[] }>('/policies') });
  const close = () => change({ shadow: undefined, backtest: undefined });
  const list = policies.data?.policies ?? [];
  return (
    <>
      <PageHead
        title="Policies"
        about="Try a version beside the one that decides, or over recorded history, before a second person approves it."
      />
      <Stack gap="lg">
        {shadow !== null && <ShadowReport version={shadow} onClose={close} />}
        {backtest !== null && <BacktestReport id={backtest} onClose={close} />}
        <Section title="Versions">
          <Loaded of={policies} label="Loading policies" lines={4}>
            {({ policies: versions }) => (
              <Versions versions={versions} staff={staff} onShadow={(version) => change({ shadow: version, backtest: undefined })} />
            )}
          </Loaded>
        </Section>
        <SimpleGrid cols={{ base: 1, md: may(staff, 'policies.change') ? 2 : 1 }} spacing="lg">
          {may(staff, 'policies.change') && <BacktestForm policies={list} />}
          <BacktestList
            mayChange={may(staff, 'policies.change')}
            onOpen={(id) => {
              change({ backtest: id, shadow: undefined });
              scrollTo(0, 0);
            }}
          />
        </SimpleGrid>
        <PolicyCheck />
      </Stack>
    </>
  );
}

interface VersionsProps {
  readonly versions: readonly PolicyView[];
  readonly staff: SignedInStaff;
  readonly onShadow: (version: string) => void;
}

function Versions({ versions, staff, onShadow }: VersionsProps) {
  if (versions.length === 0) return <Empty title="No policy yet">Draft one with: npm run tallystick -- policy draft</Empty>;
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">State</th>
          <th scope="col">Signed by</th>
          <th scope="col">Since (UTC)</th>
          <th scope="col">Document</th>
          <th scope="col">What you can do</th>
        </tr>
      </thead>
      <tbody>
        {versions.map((policy) => (
          <tr key={policy.version}>
            <td data-label="Version">
              <Text size="sm" fw={600} span className="time">
                {policy.id} {policy.version}
              </Text>
            </td>
            <td data-label="State">
              <StateBadge state={policy.state} />
            </td>
            <td data-label="Signed by">
              <span>
                {policy.author}
                {policy.approver !== null && `, approved by ${policy.approver}`}
                {policy.by.activated !== null && `, activated by ${policy.by.activated}`}
                {policy.by.retired !== null && `, retired by ${policy.by.retired}`}
              </span>
            </td>
            <td data-label="Since (UTC)">
              <Time at={sinceOf(policy)} bare />
            </td>
            <td data-label="Document">
              <Id value={policy.hash} />
            </td>
            <td data-label="What you can do">
              <PolicySteps policy={policy} staff={staff} onShadow={onShadow} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function sinceOf({ state, retiredAt, activatedAt, approvedAt, shadowedAt, draftedAt }: PolicyView): string {
  const times = { RETIRED: retiredAt, ACTIVE: activatedAt, APPROVED: approvedAt, SHADOW: shadowedAt, DRAFT: draftedAt };
  return times[state] ?? draftedAt;
}
