import { Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { CertificateView, PartnerView } from '../../../src/api.js';
import { call } from '../api/client.js';
import { PageHead, Section } from '../parts/page.js';
import { Empty, Loaded } from '../parts/states.js';
import { count, Id, StateBadge, Time } from '../parts/values.js';

export default function Partners() {
  const partners = useQuery({ queryKey: ['partners'], queryFn: () => call<{ partners: PartnerView[]; at: string }>('/partners') });
  return (
    <>
      <PageHead title="Partners" about="Who may talk to the gateway, with which certificates and keys, and until when." />
      <Loaded of={partners} label="Loading partners" lines={8}>
        {({ partners: list, at }) =>
          list.length === 0 ? (
            <Section title="No partners yet">
              <Empty title="Nobody is enrolled">An operator enrols a bank with: npm run tallystick -- enrol</Empty>
            </Section>
          ) : (
            <Stack gap="lg">
              {list.map((partner) => (
                <Partner key={partner.id} partner={partner} at={at} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </>
  );
}

function Partner({ partner, at }: { partner: PartnerView; at: string }) {
  return (
    <Section title={partner.name} aside={<StateBadge state={partner.state} />}>
      {partner.stateReason !== null && (
        <Text size="sm" mb="sm">
          {partner.stateReason}
        </Text>
      )}
      <Group gap="xl" mb="md">
        <Fact label="Id" value={partner.id} />
        <Fact label="Last record, number" value={partner.lastSeq === null ? 'none yet' : count(partner.lastSeq)} />
        <Fact label="Events to fetch" value={count(partner.eventsWaiting)} />
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
              <Group key={key.kid} justify="space-between" gap="xs" wrap="nowrap">
                <Id value={key.kid} />
                <Group gap="xs" wrap="nowrap">
                  <Text size="xs" c="dimmed">
                    {key.algorithm}
                  </Text>
                  <StateBadge state={key.state} />
                </Group>
              </Group>
            ))}
          </Stack>
        </div>
      </SimpleGrid>
    </Section>
  );
}

const DAY_MS = 86_400_000;

/** Expiry is announced 30 days ahead (CONTRACT §1): from then on it is coloured and counted. */
const WARN_DAYS = 30;

function Certificate({ certificate, at }: { certificate: CertificateView; at: string }) {
  const days = Math.floor((Date.parse(certificate.notAfter) - Date.parse(at)) / DAY_MS);
  const valid = certificate.state === 'ACTIVE';
  const color = !valid ? 'dimmed' : days < 0 ? 'red' : days < WARN_DAYS ? 'orange' : 'dimmed';
  return (
    <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
      <div>
        <Id value={certificate.fingerprint} />
        <Text size="xs" c={color}>
          {days < 0 ? 'Expired ' : 'Valid until '}
          <Time at={certificate.notAfter} only="day" />
          {valid && days >= 0 && days < WARN_DAYS && ` · ${days} days left`}
        </Text>
      </div>
      <StateBadge state={valid && days < 0 ? 'EXPIRED' : certificate.state} />
    </Group>
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
