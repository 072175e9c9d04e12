import { Text } from '@mantine/core';
import type { SanctionView } from '../../../src/api.js';
import { money } from '../parts/values.js';

const STEPS: Readonly<Record<string, string>> = {
  WARN: 'warning',
  LIMIT_CUT: 'limit cut',
  SERVICE_STOP: 'service stop',
  CLOSURE: 'closure',
  BANK_NOTICE: 'notice to the banks',
};

/** A sanction in words: what, how deep, where, how long. */
export function SanctionText({ sanction }: { sanction: SanctionView }) {
  const { step, services, limitPercent, limitAmount, days } = sanction;
  const parts = [
    STEPS[step] ?? step,
    ...(limitPercent === undefined ? [] : [`to ${limitPercent} %`]),
    ...(limitAmount === undefined ? [] : [`to ${money(limitAmount.amount, limitAmount.currency)} at most`]),
    services.length === 0 ? 'all services' : services.join(', '),
    ...(days === undefined ? [] : [`${days} days`]),
  ];
  return (
    <Text size="sm" component="span">
      {parts.join(' · ')}
    </Text>
  );
}
