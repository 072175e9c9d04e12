import type { Refusal, RefusalKind } from '#kernel';

/** One row per kind of refusal: what it is over HTTP, over gRPC, and whether a queue should try again. */
export const KINDS: Readonly<Record<RefusalKind, { status: number; title: string; grpc: number; retry: boolean }>> = {
  malformed: { status: 400, title: 'Malformed request', grpc: 3, retry: false },
  unauthenticated: { status: 401, title: 'Not authenticated', grpc: 16, retry: false },
  forbidden: { status: 403, title: 'Not allowed', grpc: 7, retry: false },
  not_found: { status: 404, title: 'Not found', grpc: 5, retry: false },
  conflict: { status: 409, title: 'Conflict', grpc: 10, retry: false },
  precondition: { status: 412, title: 'Precondition failed', grpc: 9, retry: false },
  too_large: { status: 413, title: 'Too large', grpc: 8, retry: false },
  unsupported_media: { status: 415, title: 'Unsupported media type', grpc: 3, retry: false },
  misdirected: { status: 421, title: 'Misdirected request', grpc: 3, retry: false },
  unprocessable: { status: 422, title: 'Refused', grpc: 3, retry: false },
  throttled: { status: 429, title: 'Slow down', grpc: 8, retry: true },
  unavailable: { status: 503, title: 'Not available now', grpc: 14, retry: true },
};

/** problem+json (RFC 9457) with our stable `code`. `instance` is the correlation id that the logs carry too. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
  readonly field?: string;
  readonly limit?: string;
  readonly retryAfterSeconds?: number;
  readonly [extra: string]: string | number | boolean | undefined;
}

export function toProblem(refusal: Refusal, correlationId: string): Problem {
  const { status, title } = KINDS[refusal.kind];
  const { extra, ...hints } = refusal.hints;
  return {
    ...extra,
    type: `urn:tallystick:problem:${refusal.code}`,
    title,
    status,
    code: refusal.code,
    detail: refusal.detail,
    instance: `urn:uuid:${correlationId}`,
    ...hints,
  };
}

/** What a defect looks like from outside: a correlation id and nothing else. */
export function defectProblem(correlationId: string): Problem {
  return {
    type: 'urn:tallystick:problem:internal',
    title: 'Internal error',
    status: 500,
    code: 'internal',
    detail: 'something broke on our side; quote the instance when you ask',
    instance: `urn:uuid:${correlationId}`,
  };
}
