/**
 * No answer within the deadline, however often it was asked. What the call did is unknown: ask again with the same key and the same body, which
 * gives the first answer if there was one. A service that fails closed treats this as a no.
 */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly code = 'no_answer';

  constructor(
    readonly attempts: number,
    /** What went wrong last: a connection that broke, a time-out, or "not now". */
    override readonly cause: Error,
  ) {
    super(`no answer after ${attempts} attempts: ${cause.message}`);
  }
}
