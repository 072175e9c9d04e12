import { ActionIcon, Badge, CopyButton, Tooltip } from '@mantine/core';
import { groupDigits } from '../../../src/group-digits.js';
import { Icon } from './icons.js';
import { Link } from '../api/router.js';

const TIME = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: '2-digit',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const CLOCK = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: '2-digit', month: 'short', year: 'numeric' });

/** Everybody who reads a time of an audit log must read the same one: always UTC, and it says so (`bare`: the column's head does). */
export function Time({ at, only, bare = false }: { at: string; only?: 'clock' | 'day'; bare?: boolean }) {
  const date = new Date(at);
  const text = only === 'clock' ? CLOCK.format(date) : only === 'day' ? DAY.format(date) : TIME.format(date);
  return (
    <time dateTime={at} title={`${at} (UTC)`} className="time">
      {bare || only === 'day' ? text : `${text} UTC`}
    </time>
  );
}

export function ago(at: string, now: string | number): string {
  const seconds = Math.max(0, Math.round((new Date(now).getTime() - new Date(at).getTime()) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

const NUMBER = new Intl.NumberFormat('en-GB');
export const count = (value: number | string | bigint): string => NUMBER.format(typeof value === 'string' ? BigInt(value) : value);

export const money = (amount: string, currency: string): string => `${groupDigits(amount)} ${currency}`;

const BYTES = ['B', 'KiB', 'MiB', 'GiB'];
export function bytes(value: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(value, 1)) / 10), BYTES.length - 1);
  return `${(value / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${BYTES[power]}`;
}

const TONES = { ALLOW: 'teal', REVIEW: 'yellow', DENY: 'red' } as const;
export const OUTCOMES = ['ALLOW', 'REVIEW', 'DENY'] as const;

/** Colour and word: never colour alone. */
export function OutcomeBadge({ outcome }: { outcome: keyof typeof TONES }) {
  return (
    <Badge color={TONES[outcome]} variant="light" radius="sm" className="badge">
      {outcome}
    </Badge>
  );
}

const STATE_TONES: Readonly<Record<string, string>> = {
  ACTIVE: 'teal',
  READY: 'teal',
  CONFIRMED: 'teal',
  DONE: 'teal',
  IN_FORCE: 'red',
  OVER: 'gray',
  OPEN: 'blue',
  ANSWERED: 'blue',
  VERIFIED: 'gray',
  CORRECTED: 'teal',
  WITHDRAWN: 'teal',
  SILENT: 'red',
  UPHELD: 'gray',
  OVERTURNED: 'teal',
  MATCHED: 'teal',
  BALANCED: 'teal',
  RESERVED: 'blue',
  RUNNING: 'blue',
  SHADOW: 'blue',
  APPROVED: 'teal',
  DRAFT: 'gray',
  CANCELLED: 'gray',
  REQUESTED: 'gray',
  SUSPENDED: 'yellow',
  PAUSED: 'yellow',
  REJECTED: 'gray',
  CONSUMED: 'gray',
  RETIRED: 'gray',
  RELEASED: 'gray',
  EXPIRED: 'gray',
  CLOSED: 'gray',
  REVOKED: 'red',
  COMPROMISED: 'red',
  FAILED: 'red',
  FAILING: 'red',
  UNCONFIRMED: 'yellow',
  BROKEN: 'red',
};

export function StateBadge({ state }: { state: string }) {
  return (
    <Badge color={STATE_TONES[state] ?? 'ink'} variant="light" radius="sm" className="badge">
      {state.replaceAll('_', ' ')}
    </Badge>
  );
}

/** An id: short enough for a table, whole in the clipboard and in the name of the button that copies it. */
export function Id({ value, to, whole = false }: { value: string; to?: string; whole?: boolean }) {
  const shown = whole || value.length <= 18 ? value : `${value.slice(0, 9)}…${value.slice(-6)}`;
  const text = (
    <span className="mono" title={value}>
      {shown}
    </span>
  );
  return (
    <span className={whole ? 'id breakable' : 'id'}>
      {to === undefined ? (
        text
      ) : (
        <Link to={to} aria-label={`Trace ${shown}`}>
          {text}
        </Link>
      )}
      <Copy value={value} />
    </span>
  );
}

export function Copy({ value, label = `Copy ${value}` }: { value: string; label?: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : 'Copy'} withArrow>
          <ActionIcon variant="subtle" color={copied ? 'teal' : 'gray'} size="sm" onClick={copy} aria-label={label} className="copy">
            <Icon name={copied ? 'check' : 'copy'} size={14} />
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}
