import type { EventFailure } from '../store.js';
import { backoffMs } from './backoff.js';
import type { PushOutcome } from './push.js';

/** So many attempts in a row without a proper answer, and the endpoint gets one probe at a time. */
export const troublesInARowMax = 3;

/** How an endpoint fares. */
export interface Circuit {
  /** In a row. */
  readonly failures: number;
  /** Set while it is probed only. */
  readonly failingSince?: Date | undefined;
  readonly failure?: EventFailure | undefined;
  /** Nothing is sent before. */
  readonly nextTryAt?: Date | undefined;
}

export const CLOSED: Circuit = { failures: 0 };

/** A receiver that answers at all is well, also where it refuses an event. One that asks for time gets it at once. */
export function afterPush(circuit: Circuit, outcome: PushOutcome, at: Date, chance: number): Circuit {
  if (outcome.kind !== 'TROUBLE') return circuit.failures === 0 ? circuit : CLOSED;
  // What was under way when the endpoint was found in trouble tells nothing new.
  if (circuit.nextTryAt && circuit.nextTryAt > at) return circuit;
  const failures = circuit.failures + 1;
  const { failure, retryAfterSeconds } = outcome;
  if (failures < troublesInARowMax && retryAfterSeconds === undefined && !circuit.failingSince) return { failures, failure };
  const probes = Math.max(1, failures - troublesInARowMax + 1);
  const nextTryAt = new Date(at.getTime() + backoffMs(probes, chance, retryAfterSeconds));
  return { failures, failure, failingSince: circuit.failingSince ?? at, nextTryAt };
}
