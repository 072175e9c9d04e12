/** What is still to come, the nearest first: a binary heap by a number or bigint that never changes. */
export class Agenda<Entry> {
  private readonly heap: Entry[] = [];

  constructor(private readonly isBefore: (a: Entry, b: Entry) => boolean) {}

  get next(): Entry | undefined {
    return this.heap[0];
  }

  add(entry: Entry): void {
    const { heap, isBefore } = this;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  take(): Entry | undefined {
    const { heap, isBefore } = this;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
