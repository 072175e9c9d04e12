import { Text, Title } from '@mantine/core';
import type { PartnerView, WebhookView } from '../../../src/api.js';
import { StateBadge, Time } from '../parts/values.js';

/** How a partner hears of events, and how its receiver fared when it was probed. */
export function PartnerWebhook({
  state,
  webhook,
  conformance,
  at,
}: Pick<PartnerView, 'state' | 'webhook' | 'conformance'> & { at: string }) {
  const isClosed = state === 'CLOSED';
  return (
    <div>
      <Title order={3} size="h6" mt="md" mb={6}>
        Webhook {webhook && !isClosed && <StateBadge state={webhook.state} />}
      </Title>
      {!webhook && <Line>{isClosed ? 'None was registered.' : 'None is registered: the bank polls.'}</Line>}
      {webhook && isClosed && <Line>{webhook.origin} is not told anything any more: the partner is closed.</Line>}
      {webhook && !isClosed && <Endpoint webhook={webhook} at={at} />}
      {conformance && (
        <Text size="sm" c={conformance.failed.length > 0 ? 'red' : 'dimmed'}>
          Conformance: {conformance.probes - conformance.failed.length} of {conformance.probes} probes passed on{' '}
          <Time at={conformance.at} />
          {conformance.failed.length > 0 && `; failed: ${conformance.failed.join(', ')}`}
        </Text>
      )}
    </div>
  );
}

function Endpoint({ webhook, at }: { webhook: WebhookView; at: string }) {
  const { origin, pausedWhy, trouble, nextTryAt, deliveredAt, failing, dead } = webhook;
  return (
    <>
      <Text size="sm">{origin}</Text>
      {pausedWhy !== null && <Line>Paused: {pausedWhy}</Line>}
      {trouble !== null && (
        <Text size="sm" c="red">
          {trouble}
          {nextTryAt !== null && (
            <>
              ; {Date.parse(nextTryAt) <= Date.parse(at) ? 'the next try is due since' : 'next try'} <Time at={nextTryAt} />
            </>
          )}
        </Text>
      )}
      <Line>
        {deliveredAt === null ? 'Nothing delivered yet' : 'Last event delivered '}
        {deliveredAt !== null && <Time at={deliveredAt} />}
      </Line>
      {failing > 0 && <Line>Events that are tried again: {failing}</Line>}
      {dead > 0 && (
        <Text size="sm" c="red">
          Dead letters, given up after three days: {dead}
        </Text>
      )}
    </>
  );
}

function Line({ children }: { children: React.ReactNode }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}
