import { LostReply, outcomeUnknown, Refusal } from '#kernel';

/**
 * How long PostgreSQL may work on one statement of a process, in milliseconds. A door's caller is gone long before; the worker's sweeps
 * and exports go through whole tables. `DATABASE_STATEMENT_MS_MAX` sets another for all of them; 0 is for ever.
 */
export const STATEMENT_MS_MAX = { 'decision-api': 10_000, gateway: 30_000, console: 30_000, worker: 600_000 } as const;

/**
 * PostgreSQL ended a statement that took too long, or had no connection free for so long: nothing of the transaction is kept. It is a
 * `LostReply` so that a batch is not halved, half by half as long, to find the item at fault: none is.
 */
export class StatementTimedOut extends LostReply {
  /** SQLSTATE query_canceled. */
  readonly code = QUERY_CANCELED;
}

const QUERY_CANCELED = '57014';
/** What the pool says in words only. */
const NO_CONNECTION = /^timeout exceeded when trying to connect$|^Connection terminated due to connection timeout$/;

/** Errors that came from a connection to PostgreSQL: a socket to anybody else breaks with the same codes. */
const fromDatabase = new WeakSet<object>();

export function orStatementTimedOut(error: unknown): unknown {
  if (error instanceof Error) fromDatabase.add(error);
  const { code, message } = error as { code?: unknown; message?: string };
  const timedOut = code === QUERY_CANCELED || NO_CONNECTION.test(message ?? '');
  return timedOut && !(error instanceof StatementTimedOut) ? new StatementTimedOut(message, { cause: error }) : error;
}

/** Rejects with `LostReply`, after `silence` was told, when no answer came in `msMax`: it may still come, and its effect with it. 0: waits. */
export async function answerWithin<T>(msMax: number, answer: Promise<T>, silence?: () => void): Promise<T> {
  if (msMax === 0) return await answer;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      silence?.();
      reject(new LostReply(`PostgreSQL did not answer within ${msMax} ms`));
    }, msMax);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What a caller is told while the database is slow or away: 503 `database.timeout` or `database.away` where nothing was kept, `outcome.unknown`
 * where nobody knows; who only reads (`isRead`) has lost nothing by that. Undefined: it is another error.
 */
export function slowDatabase(error: unknown, isRead = false): Refusal | undefined {
  if (error instanceof LostReply && !(error instanceof StatementTimedOut)) return outcomeUnknown(error.cause ?? error);
  const told = wordsOf(error);
  if (told.some((one) => is(one, TIMED_OUT))) {
    return unavailable('database.timeout', 'the database took too long and what it was asked was undone; send the same again', error);
  }
  if (told.some((one) => is(one, UNREACHED))) return away(error);
  if (told.some((one) => is(one, BROKEN))) return isRead ? away(error) : outcomeUnknown(error);
  return undefined;
}

const away = (cause: unknown) => unavailable('database.away', 'the database cannot be reached; send the same again', cause);

function unavailable(code: string, detail: string, cause: unknown): Refusal {
  return new Refusal('unavailable', code, detail, { retryAfterSeconds: 1 }, { cause });
}

/** Errors by the codes of PostgreSQL and Prisma, by those of the socket to it, and by the words of the driver, which says some things in words only. */
interface Signs {
  readonly codes: ReadonlySet<unknown>;
  readonly ofSocket: ReadonlySet<unknown>;
  readonly words: RegExp;
}

const TIMED_OUT: Signs = { codes: new Set([QUERY_CANCELED]), ofSocket: new Set(), words: NO_CONNECTION };
/** No connection was made, so nothing was asked. PostgreSQL: it starts, stops or recovers (57P03), or has no connection left (53300). */
const UNREACHED: Signs = {
  codes: new Set(['57P03', '53300', '08001', '08004', 'DatabaseNotReachable', 'P1001', 'P1002']),
  ofSocket: new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']),
  words: /(?!)/,
};
/** The connection broke while an answer was awaited. PostgreSQL: it was stopped (57P01), another process of it crashed (57P02), its database was dropped (57P04). */
const BROKEN: Signs = {
  codes: new Set(['57P01', '57P02', '57P04', '57P05', '08000', '08003', '08006', '08007', 'ConnectionClosed', 'SocketTimeout', 'P1017']),
  ofSocket: new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']),
  words: /^Connection terminated|^Client has encountered a connection error|^Client was closed and is not queryable/,
};

function is(told: Told, { codes, ofSocket, words }: Signs): boolean {
  const { code, kind, message } = told;
  return codes.has(code) || codes.has(kind) || (fromDatabase.has(told) && ofSocket.has(code)) || words.test(`${message as string}`);
}

/** What is said of an error, by itself and beneath it. Prisma: what the driver said is the cause of what Prisma says. */
function wordsOf(error: unknown): Told[] {
  const told: Told[] = [];
  const waiting: unknown[] = [error];
  while (waiting.length > 0 && told.length < 8) {
    const at = waiting.shift() as Told | null | undefined;
    if (typeof at !== 'object' || at === null) continue;
    told.push(at);
    waiting.push(at.cause, at.meta?.driverAdapterError);
  }
  return told;
}

interface Told {
  readonly code?: unknown;
  readonly kind?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly meta?: { readonly driverAdapterError?: unknown };
}
