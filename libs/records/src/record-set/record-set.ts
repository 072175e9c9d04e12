import { boundAt, FirstItems, type OrderedItems, type SetPlace, type SetTree } from '#evidence';
import { Refusal } from '#kernel';

/** All records of a participant that were accepted, also those that were corrected, withdrawn or are past their validity. */
export const ISSUED = 'issued';

/** A set larger than this is not held in memory: 50 to 75 bytes an item. */
export const setItemsMax = 20_000_000;

/** Refuses 404 `record_set.unknown`. */
export function requireSet(name: string): void {
  if (name !== ISSUED) throw new Refusal('not_found', 'record_set.unknown', `there is no record set of this name; there is ${ISSUED}`);
}

/** A participant's set as it was when the log had `logIndex` entries: it never changes, and every process gives the same. */
export class SetSnapshot {
  /** What of the tree is meant. */
  readonly items: OrderedItems;

  constructor(
    readonly participant: string,
    readonly place: SetPlace,
    readonly tree: SetTree,
    /** How many items had to be moved because nobody had asked for this version lately. */
    readonly derived: number,
  ) {
    this.items = place.before === undefined ? tree : new FirstItems(tree, boundAt(place.before));
  }

  get count(): number {
    return this.items.size;
  }
}
