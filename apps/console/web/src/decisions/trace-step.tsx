import { Badge, Text } from '@mantine/core';
import type { FactView, TraceDetail, TraceStep } from '../../../src/api.js';
import { Link } from '../api/router.js';
import { Icon } from '../parts/icons.js';
import { count, Id, Time } from '../parts/values.js';

const TONE_COLORS = { plain: 'gray', good: 'teal', bad: 'red', wait: 'yellow' } as const;

interface TraceStepProps {
  readonly step: TraceStep;
  readonly focused: boolean;
  /** Whether whoever looks may open the facts, too. */
  readonly mayOpenFacts: boolean;
}

/** One bead of the trace: what happened, in figures, and the facts that prove it. */
export function TraceStepCard({ step, focused, mayOpenFacts }: TraceStepProps) {
  return (
    <li aria-current={focused ? 'true' : undefined}>
      <span className={`bead ${step.tone}`}>
        <Icon name={step.kind} />
      </span>
      <article className={focused ? 'step focus' : 'step'} aria-label={step.title}>
        <div className="step-head">
          <Text fw={650} component="h3" m={0} size="sm">
            {step.title}
          </Text>
          {step.badge !== null && (
            <Badge color={TONE_COLORS[step.tone]} variant="light" radius="sm" className="badge">
              {step.badge}
            </Badge>
          )}
          <Text size="xs" c="dimmed" ml="auto" span>
            <Time at={step.at} />
          </Text>
        </div>
        <dl className="details">
          {step.details.map((detail) => (
            <div key={detail.label} className={detail.form === 'list' ? 'full' : undefined}>
              <dt>{detail.label}</dt>
              <dd>
                <Value detail={detail} />
              </dd>
            </div>
          ))}
        </dl>
        <ul className="proof" aria-label="Facts">
          {step.facts.length === 0 && <li>No fact of its own: it follows from the steps around it.</li>}
          {step.facts.map((fact) => (
            <li key={fact.id}>
              <Proof fact={fact} mayOpen={mayOpenFacts} />
            </li>
          ))}
        </ul>
      </article>
    </li>
  );
}

function Value({ detail: { form, value } }: { detail: TraceDetail }) {
  if (form === 'id') return <Id value={value} to={`/decisions?id=${encodeURIComponent(value)}`} />;
  if (form === 'time') return <Time at={value} />;
  if (form === 'money') return <span className="num">{value}</span>;
  if (form === 'list') {
    return (
      <ul>
        {value.split('\n').map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    );
  }
  return <>{value}</>;
}

function Proof({ fact, mayOpen }: { fact: FactView; mayOpen: boolean }) {
  return (
    <>
      <SealState logIndex={fact.logIndex} />
      <span className="mono">{fact.kind}</span>
      {mayOpen ? (
        <Link to={`/audit?id=${fact.id}`} size="xs" className="mono">
          {fact.id}
        </Link>
      ) : (
        <span className="mono">{fact.id}</span>
      )}
    </>
  );
}

/** Whether a fact already stands in the signed log, and where. */
export function SealState({ logIndex }: { logIndex: string | null }) {
  if (logIndex === null) {
    return (
      <span className="unsealed">
        <Icon name="wait" size={14} /> not sealed yet
      </span>
    );
  }
  return (
    <span className="sealed">
      <Icon name="seal" size={14} /> log entry {count(logIndex)}
    </span>
  );
}
