import type { Bound, Item } from './bound.js';
import type { OrderedItems } from './fingerprint.js';
import { addWords, idBytes, noSum, subtractWords, type Sum256 } from './sum256.js';
import { type Key, packedItemBytes, readNumber } from './tree-key.js';
import { Branch, type Edition, Leaf, leafItemsMax, type Node } from './tree-nodes.js';

/**
 * A set in the order of the protocol, as a B+ tree with the count and the sum of every node: what lies before a bound, the item at an index and the
 * fingerprint of any range each cost one way down. A tree never changes; `with` and `without` make another one, which shares all nodes that
 * are alike. Of each item it also keeps a `place`: a number by which its owner finds it again. 50 to 75 bytes an item.
 */
export class SetTree implements OrderedItems {
  private constructor(private readonly root: Node) {}

  static readonly empty = new SetTree(new Leaf({}));

  get size(): number {
    return this.root.count;
  }

  /** With these items (`packItem`, one after another) too. One that is there already stays as it is. */
  with(packed: Uint8Array): SetTree {
    return this.edit().add(packed).tree();
  }

  /** Without these items; one that is not there is passed over. */
  without(packed: Uint8Array): SetTree {
    return this.edit().remove(packed).tree();
  }

  /** For many pages: what one editor has copied it does not copy again. */
  edit(): SetEditor {
    return new SetEditor(this.root, (root) => new SetTree(root));
  }

  rank({ timestamp, prefix }: Bound): number {
    if (timestamp === Infinity) return this.size;
    const id = new Uint8Array(idBytes);
    id.set(prefix);
    const key: Key = { time: timestamp, id };
    let before = 0;
    let node = this.root;
    while (node instanceof Branch) {
      const index = node.childFor(key);
      for (let i = 0; i < index; i++) before += node.children[i]!.count;
      node = node.children[index]!;
    }
    return before + node.lowerBound(key);
  }

  at(index: number): Item {
    const { leaf, offset } = this.leafAt(index);
    return { timestamp: leaf.times[offset]!, id: leaf.id(offset) };
  }

  ids(from: number, to: number): Uint8Array {
    const ids = new Uint8Array((to - from) * idBytes);
    for (let index = from; index < to;) {
      const { leaf, offset } = this.leafAt(index);
      const count = Math.min(leaf.count - offset, to - index);
      ids.set(leaf.bytes.subarray(offset * idBytes, (offset + count) * idBytes), (index - from) * idBytes);
      index += count;
    }
    return ids;
  }

  sum(from: number, to: number): Uint8Array {
    const sum = this.sumBefore(to);
    subtractWords(sum, this.sumBefore(from));
    return new Uint8Array(sum.buffer);
  }

  /** All leaves, in order: for who must look at every item. */
  leaves(): Generator<Leaf> {
    return leavesOf(this.root);
  }

  private sumBefore(index: number): Sum256 {
    const sum = noSum();
    if (index === this.size) addWords(sum, this.root.sum);
    if (index === this.size) return sum;
    let [node, rest] = [this.root, index];
    while (node instanceof Branch) {
      let i = 0;
      for (; rest >= node.children[i]!.count; i++) {
        rest -= node.children[i]!.count;
        addWords(sum, node.children[i]!.sum);
      }
      node = node.children[i]!;
    }
    node.addTo(sum, 0, rest);
    return sum;
  }

  private leafAt(index: number): { leaf: Leaf; offset: number } {
    let [node, rest] = [this.root, index];
    while (node instanceof Branch) {
      let i = 0;
      for (; rest >= node.children[i]!.count; i++) rest -= node.children[i]!.count;
      node = node.children[i]!;
    }
    return { leaf: node, offset: rest };
  }
}

function* leavesOf(node: Node): Generator<Leaf> {
  if (node instanceof Leaf) yield node;
  else for (const child of node.children) yield* leavesOf(child);
}

/** Changes a tree, and copies each node of an earlier edition before it does. */
class SetEditor {
  private edition: Edition = {};

  constructor(
    private root: Node,
    private readonly made: (root: Node) => SetTree,
  ) {}

  get size(): number {
    return this.root.count;
  }

  add(packed: Uint8Array): this {
    for (const { key, place } of unpacked(packed)) this.insert(key, place);
    return this;
  }

  remove(packed: Uint8Array): this {
    for (const { key } of unpacked(packed)) this.take(key);
    return this;
  }

  /** The tree as it is now; what is edited after it makes another. */
  tree(): SetTree {
    this.edition = {};
    return this.made(this.root);
  }

  private insert(key: Key, place: number): void {
    this.root = this.own(this.root);
    const right = this.insertInto(this.root, key, place);
    if (right && right !== PRESENT) this.root = new Branch(this.edition, [this.root, right]);
  }

  private take(key: Key): void {
    this.root = this.own(this.root);
    this.removeFrom(this.root, key);
    while (this.root instanceof Branch && this.root.children.length === 1) this.root = this.root.children[0]!;
  }

  /** Answers what did not fit any more, the new right neighbour of `node`; or that the item was there. */
  private insertInto(node: Node, key: Key, place: number): Node | typeof PRESENT | undefined {
    if (node instanceof Leaf) return insertIntoLeaf(node, key, place);
    const index = node.childFor(key);
    const child = (node.children[index] = this.own(node.children[index]!));
    const right = this.insertInto(child, key, place);
    if (right === PRESENT) return PRESENT;
    node.count += 1;
    addWords(node.sum, asWords(key.id));
    if (!right) return undefined;
    node.children.splice(index + 1, 0, right);
    if (!node.isFull) return undefined;
    // What only grows at its end stays full: nothing will come between.
    return node.split(index + 2 === node.children.length ? node.children.length - 1 : node.children.length >> 1);
  }

  /** False where there is no such item. */
  private removeFrom(node: Node, key: Key): boolean {
    if (node instanceof Leaf) {
      const at = node.lowerBound(key);
      if (!node.has(at, key)) return false;
      node.remove(at);
      return true;
    }
    const index = node.childFor(key);
    const child = (node.children[index] = this.own(node.children[index]!));
    if (!this.removeFrom(child, key)) return false;
    node.count -= 1;
    subtractWords(node.sum, asWords(key.id));
    if (child.count === 0) node.children.splice(index, 1);
    return true;
  }

  private own(node: Node): Node {
    return node.edition === this.edition ? node : node.copy(this.edition);
  }
}

export type { SetEditor };

const PRESENT = Symbol('present');

function insertIntoLeaf(leaf: Leaf, key: Key, place: number): Leaf | typeof PRESENT | undefined {
  const index = leaf.lowerBound(key);
  if (leaf.has(index, key)) return PRESENT;
  if (leaf.count < leafItemsMax) return void leaf.insert(index, key, place);
  const right = leaf.split(index === leaf.count ? leaf.count : leaf.count >> 1);
  if (index < leaf.count) leaf.insert(index, key, place);
  else right.insert(index - leaf.count, key, place);
  return right;
}

function* unpacked(packed: Uint8Array): Generator<{ readonly key: Key; readonly place: number }> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < packed.length; at += packedItemBytes) {
    const id = packed.subarray(at + 8, at + 8 + idBytes);
    yield { key: { time: readNumber(view, at), id }, place: readNumber(view, at + 8 + idBytes) };
  }
}

const scratch = new Uint8Array(idBytes);
const scratchWords = new Uint32Array(scratch.buffer);

/** An id stands anywhere in its page, words must not. */
function asWords(id: Uint8Array): Uint32Array {
  scratch.set(id);
  return scratchWords;
}
