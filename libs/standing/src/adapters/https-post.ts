import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

export interface PostLimits {
  /** The whole of it, from the wait for a connection to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Undefined: longer than the limit. */
  readonly body: Uint8Array | undefined;
}

class PostTimeout extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * One POST and its answer as a whole, by undici's own events: a stream and a signal for each would cost more than the request. Rejects with what
 * broke it, `PostTimeout` where time ran out.
 */
export function sendPost(
  dispatcher: Dispatcher,
  path: string,
  { headers, body }: { readonly headers: Record<string, string>; readonly body: Uint8Array },
  limits: PostLimits,
): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch({ path, method: 'POST', headers, body }, new AnswerReader(limits, resolve, reject));
  });
}

class AnswerReader implements Dispatcher.DispatchHandler {
  private readonly timer: NodeJS.Timeout;
  private readonly pieces: Uint8Array[] = [];
  private controller: Dispatcher.DispatchController | undefined;
  private head: Pick<PostAnswer, 'status' | 'headers'> | undefined;
  private bytes = 0;
  private end: Error | undefined;

  constructor(
    private readonly limits: PostLimits,
    private readonly resolve: (answer: PostAnswer) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.timer = setTimeout(() => this.abort(new PostTimeout(`no answer within ${limits.timeoutMs} ms`)), limits.timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.end) controller.abort(this.end);
  }

  /** Also called for informational answers (1xx), which say nothing. */
  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status >= 200) this.head = { status, headers };
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.bytes += piece.length;
    if (this.bytes <= this.limits.answerBytesMax) return void this.pieces.push(piece);
    clearTimeout(this.timer);
    this.resolve({ ...this.head!, body: undefined });
    controller.abort(new Error('the answer is too long'));
  }

  onResponseEnd(): void {
    clearTimeout(this.timer);
    this.resolve({ ...this.head!, body: Buffer.concat(this.pieces) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.timer);
    this.reject(error);
  }

  /** Still waiting for a connection, it is not sent any more when its turn comes. */
  private abort(error: Error): void {
    this.end = error;
    this.reject(error);
    this.controller?.abort(error);
  }
}
