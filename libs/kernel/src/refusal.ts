/** What kind of "we will not do that" this is. One table in `contract/problem.ts` maps kinds to HTTP, gRPC and queue retry. */
export type RefusalKind =
  | 'malformed'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'precondition'
  | 'too_large'
  | 'unsupported_media'
  | 'misdirected'
  | 'unprocessable'
  | 'throttled'
  | 'unavailable';

export interface RefusalHints {
  /** JSON pointer or header name of the input at fault. */
  readonly field?: string;
  /** The limit or clause that was broken, e.g. `bodyBytesMax=1048576`. */
  readonly limit?: string;
  /** When to try again, in seconds. */
  readonly retryAfterSeconds?: number;
  /** Further public members of the problem document. Never put another party's data here. */
  readonly extra?: Readonly<Record<string, string | number | boolean>>;
}

/** Something we will not do, with a stable code and a sentence the reader can act on. Not for a "no" that is an answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly kind: RefusalKind,
    readonly code: string,
    readonly detail: string,
    readonly hints: RefusalHints = {},
    /** `cause`: what went wrong on our side, for our log and nobody else. */
    options: ErrorOptions = {},
  ) {
    super(`${code}: ${detail}`, options);
  }
}

/** Asserts one of our own assumptions. A failure is a defect, never an answer to a caller. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
