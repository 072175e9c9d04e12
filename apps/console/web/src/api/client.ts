/** problem+json as the console's server sends it. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly instance?: string;
  readonly field?: string;
  readonly retryAfterSeconds?: number;
}

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  /** Worth another try without asking anybody. */
  get passing(): boolean {
    return this.problem.status === 503 || this.problem.code === 'network.unreachable';
  }

  get signedOut(): boolean {
    return this.problem.status === 401 && this.problem.code.startsWith('session.');
  }
}

interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  /** Sent as it is written, instead of a body. */
  readonly text?: string;
  /** Idempotency-Key: the same call again is answered, not done twice. */
  readonly key?: string;
  /** A page that only waits does not keep the session alive. */
  readonly background?: boolean;
}

/** Calls the console's API. Throws `ProblemError`, also when there is no network. */
export async function call<T>(path: string, { method = 'GET', body, text, key, background = false }: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json', 'x-tallystick-console': '1' };
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  if (sent !== undefined) headers['content-type'] = text === undefined ? 'application/json' : 'text/plain';
  if (key !== undefined) headers['idempotency-key'] = key;
  if (background) headers['x-tallystick-background'] = '1';
  const answer = await reach(`/api${path}`, { method, headers, ...(sent === undefined ? {} : { body: sent }) });
  if (answer.status === 204) return undefined as T;
  const content: unknown = await answer.json().catch(() => undefined);
  if (answer.ok && content !== undefined) return content as T;
  throw new ProblemError(isProblem(content) ? content : unreadable(answer.status));
}

/** `?a=1&b=2` without the empty ones. */
export function query(params: Readonly<Record<string, string | undefined>>): string {
  const filled = Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '');
  return filled.length === 0 ? '' : `?${new URLSearchParams(filled)}`;
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new ProblemError({
      status: 0,
      code: 'network.unreachable',
      title: 'No connection',
      detail: 'The console’s server did not answer. Check your connection; nothing you entered was lost.',
    });
  }
}

function isProblem(content: unknown): content is Problem {
  return typeof content === 'object' && content !== null && 'code' in content && 'detail' in content;
}

function unreadable(status: number): Problem {
  return {
    status,
    code: 'answer.unreadable',
    title: 'Unexpected answer',
    detail: `The server answered ${status} in a form this page cannot read.`,
  };
}
