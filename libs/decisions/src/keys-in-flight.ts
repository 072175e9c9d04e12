import { keyInFlight, keyReused } from './codes.js';
import { sameDigest } from './decision.js';

const keyWaitMsMax = 2_000;

interface Flight<T> {
  readonly name: string;
  readonly digest: Uint8Array;
  readonly answer: Promise<T>;
}

const SLOTS = 1024;
const HASHED_CHARS = 24;

/**
 * One call per key at a time in this process: a repetition that arrives meanwhile waits for the first answer and gets it.
 *
 * Slots of our own, not a Map: in two of six processes 13 % of what was allocated grew old instead of 2 %, a decision cost a fifth more, and what
 * grew old was what flights hold. The likely cause is that a Map keeps tables which it has outgrown linked, each to the next. With slots it was
 * seen in none of six (2026-11-22); the cause itself was not shown.
 */
export class KeysInFlight<T extends { readonly replayed: boolean }> {
  private readonly slots: Flight<T>[][] = Array.from({ length: SLOTS }, () => []);

  /** Refuses 422 `idempotency.key_reused` for another digest, 409 `idempotency.in_flight` after `keyWaitMsMax`. */
  run(name: string, digest: Uint8Array, work: () => Promise<T>): Promise<T> {
    const slot = this.slots[slotOf(name)]!;
    const first = slot.find((flight) => flight.name === name);
    if (first) return sameDigest(first.digest, digest) ? repeat(first.answer) : Promise.reject(keyReused());
    const flight = { name, digest, answer: work() };
    slot.push(flight);
    const end = () => void slot.splice(slot.indexOf(flight), 1);
    flight.answer.then(end, end);
    return flight.answer;
  }
}

/** By its last characters, which are the key's. */
function slotOf(name: string): number {
  let hash = 0;
  for (let i = Math.max(0, name.length - HASHED_CHARS); i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
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
