import type { Socket } from 'node:net';
import { Refusal } from '#kernel';
import { KeptOn } from '#platform';

/** How much one participant may have open at this process. */
export interface ConnectionLimits {
  readonly connectionsMax: number;
  /** Requests on one connection that wait for their answers: who sends the next before has no use of more, and could fill our memory. */
  readonly pipelinedMax: number;
}

const CONNECTION_LIMITS: ConnectionLimits = { connectionsMax: 128, pipelinedMax: 16 };

/** Counts a participant's connections, and the requests on each. A connection counts from its first request. */
export class ConnectionLimit {
  private readonly open = new Map<string, number>();
  private readonly requests = new KeptOn<Socket, number>();

  constructor(private readonly limits: ConnectionLimits = CONNECTION_LIMITS) {}

  /**
   * Counts one more request; `end` takes it back. Refuses 429 `connections.too_many` where its connection is one too many. Where too many
   * requests before it still wait, the connection is cut: an answer would have to wait for theirs.
   */
  begin(participant: string, socket: Socket): void {
    const waiting = this.requests.get(socket);
    if (waiting === undefined) this.add(participant, socket);
    this.requests.set(socket, (waiting ?? 0) + 1);
    if ((waiting ?? 0) < this.limits.pipelinedMax) return;
    socket.destroy();
    throw new Refusal('throttled', 'connection.pipelined', 'too many requests on this connection wait for their answers');
  }

  end(socket: Socket): void {
    const waiting = this.requests.get(socket);
    if (waiting !== undefined) this.requests.set(socket, waiting - 1);
  }

  private add(participant: string, socket: Socket): void {
    const { connectionsMax } = this.limits;
    const open = this.open.get(participant) ?? 0;
    if (open >= connectionsMax) {
      throw new Refusal('throttled', 'connections.too_many', 'you have too many connections open: use those again, and close the others', {
        limit: `connectionsMax=${connectionsMax}`,
        retryAfterSeconds: 1,
      });
    }
    this.open.set(participant, open + 1);
    socket.once('close', () => this.remove(participant));
  }

  private remove(participant: string): void {
    const left = this.open.get(participant)! - 1;
    if (left > 0) this.open.set(participant, left);
    else this.open.delete(participant);
  }
}
