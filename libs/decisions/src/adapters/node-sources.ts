import { hash, randomFillSync, randomUUID } from 'node:crypto';
import { type Clock, type ShardedId, uuidV7 } from '#kernel';
import type { DecisionSources } from '../decide.js';

const ID_RANDOM_BYTES = 10;
const POOL_BYTES = ID_RANDOM_BYTES * 512;

/** Node's clock, randomness and SHA-256 behind the core's words. Random bytes are drawn in bulk: one call per id costs more than the id. */
export class NodeSources implements DecisionSources {
  private readonly pool = new Uint8Array(POOL_BYTES);
  private drawn = POOL_BYTES;

  constructor(private readonly clock: Clock) {}

  now(): Date {
    return this.clock.now();
  }

  newDecisionId({ shard }: ShardedId, at: Date): ShardedId {
    if (this.drawn === POOL_BYTES) {
      randomFillSync(this.pool);
      this.drawn = 0;
    }
    const random = this.pool.subarray(this.drawn, (this.drawn += ID_RANDOM_BYTES));
    return { shard, uuid: uuidV7(at.getTime(), random) };
  }

  newSalt(): string {
    return randomUUID();
  }

  digest(text: string): Uint8Array {
    return hash('sha256', text, 'buffer');
  }
}
