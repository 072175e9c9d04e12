import { packedItemBytes, type SetEditor, SetTree } from '#evidence';
import { Refusal } from '#kernel';
import { LoosePages } from './loose-pages.js';
import { setItemsMax } from './record-set.js';
import type { ItemPage, RecordSetSource } from './store.js';

/** Lets others have their turn. */
export type Pause = () => Promise<void>;

interface Found {
  readonly tree: SetTree;
  readonly derived: number;
}

interface Version {
  readonly logIndex: bigint;
  readonly tree: SetTree;
}

const versionsMax = 8;
/** The log is collected in steps, so that the pages in hand stay few; where a step brings little, the next one is longer. */
const stepEntriesMin = 1_048_576n;
const stepItemsFew = 65_536;
/** So many items are taken into a tree before others have their turn: some ten milliseconds. */
const itemsPerTurn = 4_096;

/**
 * One participant's set in memory: its newest version and some earlier ones, which share all that is alike. It reads only what is new since
 * its last position. A version that is not here any more is made from the nearest one, forth or back.
 */
export class SetShelf {
  private versions: Version[] = [];
  private head: Version = { logIndex: 0n, tree: SetTree.empty };
  private loose = LoosePages.since(0n);
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly participant: string,
    private readonly source: RecordSetSource,
    private readonly pause: Pause,
  ) {}

  get size(): number {
    return this.head.tree.size;
  }

  /**
   * The set at this log index, which is published, and how many items were moved only to have it. One call works at a time. Refuses 422
   * `record_set.too_large`.
   */
  async at(logIndex: bigint): Promise<Found> {
    const result = this.turn.then(() => this.find(logIndex));
    this.turn = result.catch(() => undefined);
    return await result;
  }

  private async find(logIndex: bigint): Promise<Found> {
    if (this.head.logIndex === 0n) await this.loadKept(logIndex);
    const known = this.versions.find((version) => version.logIndex === logIndex);
    if (known) return { tree: this.remember(known), derived: 0 };
    if (logIndex > this.head.logIndex) return { tree: this.remember(await this.advance(logIndex)), derived: 0 };
    const { derived, ...version } = await this.derive(logIndex);
    return { tree: this.remember(version), derived };
  }

  private remember(version: Version): SetTree {
    this.versions = [version, ...this.versions.filter((other) => other.logIndex !== version.logIndex)].slice(0, versionsMax);
    return version.tree;
  }

  private async loadKept(upTo: bigint): Promise<void> {
    const editor = SetTree.empty.edit();
    let keptTo = 0n;
    for await (const { endIndex, page } of this.source.kept(this.participant, upTo)) {
      await this.add(editor, page);
      keptTo = endIndex;
    }
    this.loose = LoosePages.since(keptTo);
    this.head = { logIndex: keptTo, tree: editor.tree() };
  }

  /** Takes in what is new. What fails half-way leaves everything as it was. */
  private async advance(to: bigint): Promise<Version> {
    const editor = this.head.tree.edit();
    let [loose, at, step] = [this.loose.copy(), this.head.logIndex, stepEntriesMin];
    while (at < to) {
      const isLoose = at >= loose.keptTo;
      const [stop, before] = [least(to, at + step, isLoose ? to : loose.keptTo), editor.size];
      for await (const page of this.source.collect(this.participant, at, stop)) {
        await this.add(editor, page);
        if (isLoose) loose.push(page);
      }
      step = editor.size - before < stepItemsFew ? step * 2n : stepEntriesMin;
      at = stop;
      loose = await loose.settle(this.participant, at, this.source);
    }
    this.loose = loose;
    return (this.head = { logIndex: to, tree: editor.tree() });
  }

  /** From the version whose log index is nearest. */
  private async derive(logIndex: bigint): Promise<Version & { readonly derived: number }> {
    const distance = (version: Version): bigint => absolute(version.logIndex - logIndex);
    const nearest = [this.head, ...this.versions].reduce((best, one) => (distance(one) < distance(best) ? one : best));
    const editor = nearest.tree.edit();
    const [from, to] = nearest.logIndex < logIndex ? [nearest.logIndex, logIndex] : [logIndex, nearest.logIndex];
    for await (const page of this.source.collect(this.participant, from, to)) {
      if (nearest.logIndex < logIndex) await this.add(editor, page);
      else await this.inTurns(page, (part) => editor.remove(part));
    }
    return { logIndex, tree: editor.tree(), derived: Math.abs(editor.size - nearest.tree.size) };
  }

  private async add(editor: SetEditor, page: ItemPage): Promise<void> {
    await this.inTurns(page, (part) => editor.add(part));
    if (editor.size <= setItemsMax) return;
    throw new Refusal('unprocessable', 'record_set.too_large', 'this set is too large to be compared', {
      limit: `setItemsMax=${setItemsMax}`,
    });
  }

  private async inTurns(page: ItemPage, take: (part: Uint8Array) => void): Promise<void> {
    const bytes = itemsPerTurn * packedItemBytes;
    for (let at = 0; at < page.length; at += bytes) {
      take(page.subarray(at, at + bytes));
      await this.pause();
    }
  }
}

const least = (first: bigint, ...others: readonly bigint[]): bigint => others.reduce((a, b) => (b < a ? b : a), first);
const absolute = (value: bigint): bigint => (value < 0n ? -value : value);
