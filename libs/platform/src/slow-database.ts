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

export function orStatementTimedOut(error: unknown): unknown {
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

/** What a caller is told: 503 `database.timeout` where nothing was kept, `outcome.unknown` where nobody knows. Undefined: it is another error. */
export function slowDatabase(error: unknown): Refusal | undefined {
  if (error instanceof LostReply && !(error instanceof StatementTimedOut)) return outcomeUnknown(error.cause ?? error);
  if (!isTimeOut(error)) return undefined;
  return new Refusal(
    'unavailable',
    'database.timeout',
    'the database took too long and what it was asked was undone; send the same again',
    { retryAfterSeconds: 1 },
    { cause: error },
  );
}

/** Also as Prisma tells it: what the driver said is the cause of what Prisma says. */
function isTimeOut(error: unknown): boolean {
  for (let [at, depth] = [error as Told | undefined, 0]; at && depth < 5; depth++) {
    if (at.code === QUERY_CANCELED || at.meta?.driverAdapterError?.cause?.code === QUERY_CANCELED) return true;
    at = at.cause;
  }
  return false;
}

interface Told {
  readonly code?: unknown;
  readonly cause?: Told;
  readonly meta?: { readonly driverAdapterError?: { readonly cause?: Told } };
}
