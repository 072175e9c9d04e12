import { Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { CertificateView, KeyView, PartnerView, SignedInStaff } from '../../../src/api.js';
import { call } from '../api/client.js';
import { may } from '../api/session.js';
import { PartnerActions, Pending } from './partner-actions.js';
import { PartnerWebhook } from './partner-webhook.js';
import { PageHead, Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { count, Id, StateBadge, Time } from '../parts/values.js';

export default function Partners({ staff }: { staff: SignedInStaff }) {
  const partners = useQuery({ queryKey: ['partners'], queryFn: () => call<{ partners: PartnerView[]; at: string }>('/partners') });
  return (
    <>
      <PageHead title="Partners" about="Who may talk to the gateway, with which certificates and keys, and until when." />
      <Loaded of={partners} label="Loading partners" lines={8}>
        {({ partners: list, at }) =>
          list.length === 0 ? (
            <Section title="No partners yet">
              <Empty title="Nobody is enrolled">An operator invites a bank with: npm run tallystick -- invite</Empty>
            </Section>
          ) : (
            <Stack gap="lg">
              {list.map((partner) => (
                <Partner key={partner.id} partner={partner} at={at} mayChange={may(staff, 'partners.change')} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </>
  );
}

function Partner({ partner, at, mayChange }: { partner: PartnerView; at: string; mayChange: boolean }) {
  return (
    <Section title={partner.name} aside={<StateBadge state={partner.state} />}>
      {partner.stateReason !== null && (
        <Text size="sm" mb="sm">
          {partner.stateReason}
        </Text>
      )}
      <Pending {...partner} />
      <Group gap="xl" mb="md">
        <Fact label="Id" value={partner.id} />
        <Fact label="Last record, number" value={partner.lastSeq ?? 'none yet'} />
        <Fact label="Events to fetch" value={count(partner.eventsWaiting)} />
        <Fact label="Calls from" value={partner.addresses.length === 0 ? 'anywhere' : partner.addresses.join(', ')} />
      </Group>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <div>
          <Title order={3} size="h6" mb={6}>
            Certificates
          </Title>
          {partner.certificates.length === 0 && <None>No certificate is registered: the bank cannot connect.</None>}
          <Stack gap="xs">
            {partner.certificates.map((certificate) => (
              <Certificate key={certificate.fingerprint} certificate={certificate} at={at} />
            ))}
          </Stack>
        </div>
        <div>
          <Title order={3} size="h6" mb={6}>
            Signing keys
          </Title>
          {partner.keys.length === 0 && <None>No key is registered: its records would be refused.</None>}
          <Stack gap="xs">
            {partner.keys.map((key) => (
              <Key key={key.kid} signingKey={key} at={at} />
            ))}
          </Stack>
        </div>
      </SimpleGrid>
      <PartnerWebhook {...partner} at={at} />
      {mayChange && <PartnerActions partner={partner} />}
    </Section>
  );
}

const DAY_MS = 86_400_000;

/** Expiry is announced 30 days ahead (CONTRACT §1): from then on it is coloured and counted. */
const WARN_DAYS = 30;

function Certificate({ certificate, at }: { certificate: CertificateView; at: string }) {
  const valid = certificate.state === 'ACTIVE';
  const over = Date.parse(certificate.notAfter) < Date.parse(at);
  return (
    <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
      <div>
        <Id value={certificate.fingerprint} />
        <End notAfter={certificate.notAfter} at={at} matters={valid} />
      </div>
      <StateBadge state={valid && over ? 'EXPIRED' : certificate.state} />
    </Group>
  );
}

function Key({ signingKey: { kid, algorithm, state, notAfter }, at }: { signingKey: KeyView; at: string }) {
  return (
    <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
      <div>
        <Id value={kid} />
        {notAfter !== null && <End notAfter={notAfter} at={at} matters={state === 'ACTIVE' || state === 'READY'} />}
      </div>
      <Group gap="xs" wrap="nowrap">
        <Text size="xs" c="dimmed">
          {algorithm}
        </Text>
        <StateBadge state={state} />
      </Group>
    </Group>
  );
}

/** Until when, and from thirty days before on how many days are left. */
function End({ notAfter, at, matters }: { notAfter: string; at: string; matters: boolean }) {
  const days = Math.floor((Date.parse(notAfter) - Date.parse(at)) / DAY_MS);
  const color = !matters ? 'dimmed' : days < 0 ? 'red' : days < WARN_DAYS ? 'orange' : 'dimmed';
  return (
    <Text size="xs" c={color}>
      {days < 0 ? 'Expired ' : 'Valid until '}
      <Time at={notAfter} only="day" />
      {matters && days >= 0 && days < WARN_DAYS && ` · ${days} days left`}
    </Text>
  );
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="sm" className="num">
        {value}
      </Text>
    </div>
  );
}

function None({ children }: { children: string }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}
