import { Alert, Badge, Group, Text, Title } from '@mantine/core';
import { Icon, type IconName } from '../parts/icons.js';
import { sentence } from '../parts/states.js';
import { type Check, outcomeOf, type Verdict } from './checks.js';

interface Look {
  readonly word: string;
  readonly tone: string;
  readonly bead: string;
  readonly icon: IconName;
}

const LOOKS: Readonly<Record<Check['result'], Look>> = {
  holds: { word: 'Holds', tone: 'teal', bead: 'good', icon: 'check' },
  fails: { word: 'Does not hold', tone: 'red', bead: 'bad', icon: 'alert' },
  waits: { word: 'Not sealed yet', tone: 'yellow', bead: 'wait', icon: 'wait' },
  'not shown': { word: 'Not shown here', tone: 'gray', bead: '', icon: 'wait' },
  'not reached': { word: 'Not reached', tone: 'gray', bead: '', icon: 'wait' },
};

const OUTCOMES = {
  holds: { color: 'teal', title: 'Verified', about: 'Every step holds' },
  'not shown': { color: 'teal', title: 'Verified, as far as a browser can', about: 'Every step that a browser can take holds' },
  waits: { color: 'yellow', title: 'Not proven yet', about: 'Nothing is wrong with it so far, but the log has not sealed all of it' },
  fails: { color: 'red', title: 'Not verified', about: 'Do not rely on it: one step does not hold' },
} as const;

export function VerdictView({ verdict: { what, checks, beyond }, trust }: { verdict: Verdict; trust: 'installation' | 'pasted' }) {
  const outcome = outcomeOf(checks);
  const { color, title, about } = OUTCOMES[outcome];
  const keys = trust === 'installation' ? 'the keys of this installation' : 'the keys that you pasted';
  return (
    <div role="status" aria-label="What was found">
      <Alert color={color} variant="light" title={title} mb="lg">
        <Text size="sm">
          This is {what}. {about}, under {keys}. {outcome === 'holds' && beyond}
        </Text>
      </Alert>
      <ol className="trace">
        {checks.map((check) => (
          <CheckStep key={check.title} check={check} />
        ))}
      </ol>
    </div>
  );
}

function CheckStep({ check: { title, result, code, detail } }: { check: Check }) {
  const { word, tone, bead, icon } = LOOKS[result];
  return (
    <li>
      <span className={`bead ${bead}`}>
        <Icon name={icon} size={16} />
      </span>
      <div className="step">
        <Group className="step-head" gap="sm">
          <Title order={3} size="sm">
            {title}
          </Title>
          <Badge color={tone} variant="light" radius="sm" className="badge">
            {word}
          </Badge>
        </Group>
        {detail && (
          <Text size="sm" mt={4} className="breakable">
            {sentence(detail)}
          </Text>
        )}
        {code && (
          <Text size="xs" c="dimmed" mt={4} className="mono breakable">
            {code}
          </Text>
        )}
      </div>
    </li>
  );
}
