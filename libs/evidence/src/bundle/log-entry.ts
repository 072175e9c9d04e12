import { formatFactId, isShard, Refusal, type Shard } from '#kernel';
import { parseUtf8 } from '../bytes.js';

/** What a reader of a log entry needs to know of it; the body is the fact's own. */
export interface LogEntry {
  readonly shard: Shard;
  readonly seq: bigint;
  readonly at: string;
  readonly kind: string;
  readonly subject?: string;
  readonly participant?: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly factId: string;
}

/** Reads the bytes that `encodeLogEntry` made. Refuses `log_entry.malformed`. */
export function parseLogEntry(bytes: Uint8Array): LogEntry {
  const entry = parseObject(parseUtf8(bytes, 'log_entry.malformed'));
  const { v, shard, seq, at, kind, subject, participant, body } = entry;
  const known = v === 1 && typeof shard === 'number' && isShard(shard) && typeof seq === 'string' && /^[1-9][0-9]{0,18}$/.test(seq);
  if (!known || typeof at !== 'string' || typeof kind !== 'string') throw malformed('expected a log entry of version 1');
  if (typeof body !== 'object' || body === null) throw malformed('a log entry has a body');
  return {
    shard,
    seq: BigInt(seq),
    at,
    kind,
    ...(typeof subject === 'string' ? { subject } : {}),
    ...(typeof participant === 'string' ? { participant } : {}),
    body: body as Readonly<Record<string, unknown>>,
    factId: formatFactId(shard, BigInt(seq)),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw malformed('expected a JSON object');
}

const malformed = (detail: string) => new Refusal('malformed', 'log_entry.malformed', detail);
