import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '#kernel';
import { routeOf } from './request-signature.js';
import { whenOver } from './when-over.js';

/** Calls that may carry gigabytes, one way or the other. What they carry lies on this machine's disk until they are over. */
const ROUTES: ReadonlySet<string> = new Set([
  '/v1/record-batches',
  '/v1/statements',
  '/v1/record-batches/:id/results',
  '/v1/record-batches/:id/errors',
]);

export function isLargeTransfer(request: FastifyRequest): boolean {
  return ROUTES.has(routeOf(request));
}

/** As many as a participant may have batches open. */
export const largeTransfersMax = 16;

/** Counts each participant's large transfers, so that one of them, slow or hostile, cannot fill the disk for all. */
export class LargeTransfers {
  private readonly open = new Map<string, number>();

  /** Counts a call until its answer is out or its connection is gone. Refuses 429 `transfers.too_many`. */
  begin(participant: string, request: FastifyRequest, reply: FastifyReply): void {
    if (!isLargeTransfer(request)) return;
    const open = this.open.get(participant) ?? 0;
    if (open >= largeTransfersMax) {
      throw new Refusal('throttled', 'transfers.too_many', 'too many batches or results of yours are under way at once: let some end', {
        ...{ limit: `largeTransfersMax=${largeTransfersMax}`, retryAfterSeconds: 1 },
      });
    }
    this.open.set(participant, open + 1);
    whenOver(request, reply, () => this.end(participant));
  }

  private end(participant: string): void {
    const left = this.open.get(participant)! - 1;
    if (left > 0) this.open.set(participant, left);
    else this.open.delete(participant);
  }
}
