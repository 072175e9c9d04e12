import { keyInFlight, keyReused } from './codes.js';
import { sameDigest } from './decision.js';

export const keyWaitMsMax = 2_000;

interface Flight<T> {
  readonly digest: Uint8Array;
  readonly answer: Promise<T>;
}

/** One call per key at a time in this process: a repetition that arrives meanwhile waits for the first answer and gets it. */
export class KeysInFlight<T extends { readonly replayed: boolean }> {
  private readonly flights = new Map<string, Flight<T>>();

  /** Refuses 422 `idempotency.key_reused` for another digest, 409 `idempotency.in_flight` after `keyWaitMsMax`. */
  run(name: string, digest: Uint8Array, work: () => Promise<T>): Promise<T> {
    const first = this.flights.get(name);
    if (first) return sameDigest(first.digest, digest) ? repeat(first.answer) : Promise.reject(keyReused());
    const answer = work();
    const end = () => void this.flights.delete(name);
    answer.then(end, end);
    this.flights.set(name, { digest, answer });
    return answer;
  }
}

async function repeat<T extends { readonly replayed: boolean }>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(keyInFlight()), keyWaitMsMax);
  });
  try {
    return { ...(await Promise.race([answer, late])), replayed: true };
  } finally {
    clearTimeout(timer);
  }
}
