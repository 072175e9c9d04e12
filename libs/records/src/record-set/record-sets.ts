import { findPlaces, type SetPlace } from '#evidence';
import { Refusal } from '#kernel';
import { requireSet, SetSnapshot } from './record-set.js';
import { type Pause, SetShelf } from './set-shelf.js';
import type { HeldRecord, RecordSetSource } from './store.js';

/** Over this many items in all, the sets that were not asked for longest are let go. */
const itemsInMemoryMax = 10_000_000;

/** Which records somebody asks for; without a log index, those of the log as it is published now. */
export interface SetQuery {
  readonly set: string;
  readonly logIndex?: bigint | undefined;
  readonly before?: number | undefined;
}

/** Participants' sets of records, from the log's point of view. In memory is only what can be read again from PostgreSQL. */
export class RecordSets {
  private readonly shelves = new Map<string, SetShelf>();

  constructor(
    private readonly source: RecordSetSource,
    private readonly pause: Pause,
    private readonly itemsMax = itemsInMemoryMax,
  ) {}

  /** Refuses 404 `record_set.unknown`, 422 `record_set.log_index` (not published) and `record_set.too_large`. */
  async snapshot(participant: string, { set, logIndex: wanted, before }: SetQuery): Promise<SetSnapshot> {
    requireSet(set);
    const published = await this.source.publishedSize();
    const logIndex = wanted ?? published;
    if (logIndex > published) {
      throw new Refusal('unprocessable', 'record_set.log_index', `the log has ${published} published entries`, { field: 'logIndex' });
    }
    const { tree, derived } = await this.shelfOf(participant).at(logIndex);
    this.letGo();
    return new SetSnapshot(participant, { set, logIndex, before } satisfies SetPlace, tree, derived);
  }

  /** The records of the set that have these ids; an id that is not in it is passed over. */
  async find({ participant, tree }: SetSnapshot, ids: readonly Uint8Array[]): Promise<HeldRecord[]> {
    const places = await findPlaces(tree, ids, this.pause);
    return places.length === 0 ? [] : await this.source.recordsAt(participant, places);
  }

  private shelfOf(participant: string): SetShelf {
    const shelf = this.shelves.get(participant) ?? new SetShelf(participant, this.source, this.pause);
    this.shelves.delete(participant);
    this.shelves.set(participant, shelf);
    return shelf;
  }

  /** Oldest first; the one just used stays. */
  private letGo(): void {
    let items = [...this.shelves.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [participant, { size }] of this.shelves) {
      if (items <= this.itemsMax || this.shelves.size === 1) return;
      items -= size;
      this.shelves.delete(participant);
    }
  }
}
