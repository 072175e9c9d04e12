/** The gateway's refusal: problem+json (RFC 9457) with a stable `code` to program against. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: string;

  constructor(
    readonly status: number,
    readonly problem: unknown,
  ) {
    const { code = 'unknown', detail = '' } = (problem ?? {}) as { code?: string; detail?: string };
    super(`${status} ${code}: ${detail}`);
    this.code = code;
  }
}
