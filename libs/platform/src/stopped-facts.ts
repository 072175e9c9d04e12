import { Refusal } from '#kernel';

/** The constraint of `shard_heads` that lets no fact be added to a database that was rolled back. Prisma tells it in its message only. */
const NOT_STOPPED = '"shard_heads_not_stopped"';

/**
 * 503 `log.rolled_back`: nothing was kept, and nothing will be until an operator has recovered the database. Any other error as it is. It keeps
 * no cause, which would be logged for every call: the worker's alarm tells why.
 */
export function orFactsStopped(error: unknown): unknown {
  if (error instanceof Refusal || !(error instanceof Error) || !error.message.includes(NOT_STOPPED)) return error;
  return new Refusal(
    'unavailable',
    'log.rolled_back',
    'the database is older than what was answered from it: nothing is decided or recorded until it is recovered',
    { retryAfterSeconds: 30 },
  );
}
