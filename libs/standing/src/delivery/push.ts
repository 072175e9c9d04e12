import { printable } from '#contract';
import type { JsonObject } from '#evidence';
import type { EventFailure } from '../store.js';

/** What came back for one pushed token. */
export type PushOutcome =
  | { readonly kind: 'TAKEN' }
  /** The receiver cannot take this event (RFC 8935 §2.3); it is there, and others may pass. */
  | { readonly kind: 'REFUSED'; readonly failure: EventFailure }
  /** No answer, or none that says anything of the event. */
  | { readonly kind: 'TROUBLE'; readonly failure: EventFailure; readonly retryAfterSeconds?: number };

/** An answer as received; of the body only the first bytes. */
export interface PushAnswer {
  readonly status: number;
  /** Of `Retry-After`, where it is a number of seconds. */
  readonly retryAfterSeconds?: number;
  readonly body: JsonObject | undefined;
}

/** Posts one token to an address of a participant. Never throws: what went wrong is the answer. */
export type PushToken = (target: PushTarget, token: string) => Promise<PushAnswer | { readonly trouble: EventFailure }>;

export interface PushTarget {
  readonly participant: string;
  readonly url: string;
}

const errCharsMax = 64;
const descriptionCharsMax = 500;

/** RFC 8935: 202 acknowledges, 400 with `err` refuses this event; anything else is trouble with the endpoint. */
export function judgePush(answer: Awaited<ReturnType<PushToken>>): PushOutcome {
  if ('trouble' in answer) return { kind: 'TROUBLE', failure: answer.trouble };
  if (answer.status === 202) return { kind: 'TAKEN' };
  const failure = answer.status === 400 ? readFailure(answer.body) : undefined;
  if (failure) return { kind: 'REFUSED', failure };
  const { retryAfterSeconds } = answer;
  return {
    kind: 'TROUBLE',
    failure: { err: 'answer_unexpected', description: `answered ${answer.status}; 202 acknowledges (RFC 8935)` },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

// The words are the partner's: they are shown to staff, so they are cut and kept to printable characters.
function readFailure(body: JsonObject | undefined): EventFailure | undefined {
  const { err, description } = body ?? {};
  if (typeof err !== 'string' || err === '') return undefined;
  const failure = { err: printable(err).slice(0, errCharsMax) };
  return typeof description === 'string' ? { ...failure, description: printable(description).slice(0, descriptionCharsMax) } : failure;
}

/** Whether the receiver echoed the challenge. */
export function judgeEcho(answer: Awaited<ReturnType<PushToken>>, challenge: string): PushOutcome {
  if ('trouble' in answer) return { kind: 'TROUBLE', failure: answer.trouble };
  if (answer.status === 200 && answer.body?.['challenge'] === challenge) return { kind: 'TAKEN' };
  return {
    kind: 'TROUBLE',
    failure: {
      err: 'challenge_not_echoed',
      description: `answered ${answer.status}; expected 200 and { challenge } as it stands in the event`,
    },
  };
}
