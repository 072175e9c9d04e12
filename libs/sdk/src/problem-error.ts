/** The gateway's or decision-api's refusal: problem+json (RFC 9457) with a stable `code` to program against. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: string;
  readonly detail: string;
  /** JSON pointer or header name of the input at fault. */
  readonly field: string | undefined;
  /** Quote it when you ask: the logs carry it too. */
  readonly instance: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly status: number,
    readonly problem: unknown,
  ) {
    const { code = 'unknown', detail = '', field, instance, retryAfterSeconds } = (problem ?? {}) as Partial<ProblemMembers>;
    super(`${status} ${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.field = field;
    this.instance = instance;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

interface ProblemMembers {
  readonly code: string;
  readonly detail: string;
  readonly field: string;
  readonly instance: string;
  readonly retryAfterSeconds: number;
}
