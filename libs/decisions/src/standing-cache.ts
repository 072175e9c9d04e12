import { Batcher, type ShardedId } from '#kernel';
import type { Standing, StandingReader } from '#standing';
import { subjectUnknown } from './codes.js';

/** About half a kilobyte each. */
const standingsMax = 50_000;

const LOADS = { itemsMax: 500, inFlightMax: 2, queueItemsMax: 20_000, waitMsMax: 500 };

/**
 * The standings that decisions were lately made on. It may be behind: the ledger compares versions under its lock, and what was stale is
 * loaded anew. Simultaneous loads travel together.
 */
export class StandingCache {
  private readonly known = new Map<string, Standing>();
  private readonly loads: Batcher<ShardedId, { readonly standing: Standing | undefined }>;

  constructor(reader: StandingReader) {
    const send = async (subjects: readonly ShardedId[]) => (await reader.load(subjects)).map((standing) => ({ standing }));
    this.loads = new Batcher({ send, lookUp: send }, LOADS);
  }

  find(subject: ShardedId): Standing | undefined {
    return this.known.get(subject.uuid);
  }

  /** Reads the subject's standing from the database. Refuses 404 `subject.unknown`. */
  async load(subject: ShardedId): Promise<Standing> {
    const { standing } = await this.loads.submit(subject);
    if (!standing) throw subjectUnknown();
    this.keep(subject.uuid, standing);
    return standing;
  }

  /** The oldest entry gives way. */
  private keep(uuid: string, standing: Standing): void {
    this.known.delete(uuid);
    this.known.set(uuid, standing);
    if (this.known.size > standingsMax) this.known.delete(this.known.keys().next().value!);
  }
}
