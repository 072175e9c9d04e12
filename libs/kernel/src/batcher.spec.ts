import { afterEach, describe, expect, it, vi } from 'vitest';
import { Refusal } from './refusal.js';
import { Batcher, type BatchPort, LostReply } from './batcher.js';

const LIMITS = { itemsMax: 4, inFlightMax: 2, queueItemsMax: 10, waitMsMax: 1_000 };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A ledger that saves numbers, and lies as told: it may fail before or after saving, answer late, or answer too little. */
class LyingLedger implements BatchPort<number, string> {
  readonly saved: number[] = [];
  readonly calls: number[][] = [];
  lies: ('fail before' | 'fail after' | 'lose before' | 'lose after' | 'answer too little')[] = [];
  bad = new Set<number>();
  gates: Promise<void>[] = [];
  lookUpFails = false;

  async send(items: readonly number[]): Promise<string[]> {
    this.calls.push([...items]);
    await this.gates.shift();
    const lie = this.lies.shift();
    if (lie === 'fail before') throw new Error('refused');
    if (lie === 'lose before') throw new LostReply('no answer');
    if (items.some((item) => this.bad.has(item))) throw new Error('bad item');
    this.saved.push(...items);
    if (lie === 'lose after') throw new LostReply('no answer');
    return items.slice(lie === 'answer too little' ? 1 : 0).map((item) => `did ${item}`);
  }

  async lookUp(items: readonly number[]): Promise<(string | undefined)[]> {
    if (this.lookUpFails) throw new Error('still down');
    return items.map((item) => (this.saved.includes(item) ? `did ${item}` : undefined));
  }
}

const outcomes = async (answers: Promise<string>[]) =>
  (await Promise.allSettled(answers)).map((end) =>
    end.status === 'fulfilled' ? end.value : end.reason instanceof Refusal ? end.reason.code : 'error',
  );

afterEach(() => {
  vi.useRealTimers();
});

describe('a batcher', () => {
  it('carries together what arrived together, at most itemsMax, at most inFlightMax at once', async () => {
    const ledger = new LyingLedger();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    ledger.gates = [gate, gate];
    const batcher = new Batcher(ledger, LIMITS);
    const answers = Array.from({ length: 10 }, (_, i) => batcher.submit(i));
    await turn();
    expect(ledger.calls).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    open();
    expect(await outcomes(answers)).toEqual(Array.from({ length: 10 }, (_, i) => `did ${i}`));
    expect(ledger.calls[2]).toEqual([8, 9]);
  });

  it('shares a crowd between the free places, and keeps a few together', async () => {
    const ledger = new LyingLedger();
    const batcher = new Batcher(ledger, { itemsMax: 100, inFlightMax: 2, queueItemsMax: 1_000, waitMsMax: 1_000 });
    await Promise.all(Array.from({ length: 60 }, (_, i) => batcher.submit(i)));
    await Promise.all(Array.from({ length: 20 }, (_, i) => batcher.submit(i)));
    expect(ledger.calls.map(({ length }) => length)).toEqual([30, 30, 20]);
  });

  describe('after a crowd', () => {
    const afterCrowd = async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const ledger = new LyingLedger();
      const batcher = new Batcher(ledger, { itemsMax: 100, inFlightMax: 2, queueItemsMax: 1_000 });
      const submit = (count: number) => Promise.all(Array.from({ length: count }, (_, i) => batcher.submit(i)));
      for (let batch = 0; batch < 20; batch++) {
        const answers = submit(30);
        await vi.advanceTimersByTimeAsync(10);
        await answers;
      }
      const sizes = () => ledger.calls.slice(20).map(({ length }) => length);
      return { submit, sizes };
    };

    it('lets a few wait a moment for more', async () => {
      const { submit, sizes } = await afterCrowd();
      await vi.advanceTimersByTimeAsync(10);
      const answers = [submit(5)];
      await turn();
      answers.push(submit(3));
      await turn();
      expect(sizes()).toEqual([5]);
      await vi.advanceTimersByTimeAsync(2);
      answers.push(submit(4));
      await turn();
      expect(sizes()).toEqual([5]);
      await vi.advanceTimersByTimeAsync(2);
      await turn();
      expect(sizes()).toEqual([5, 7]);
      await Promise.all(answers);
    });

    it('keeps nobody once enough are there, and nobody who comes alone later', async () => {
      const { submit, sizes } = await afterCrowd();
      await vi.advanceTimersByTimeAsync(10);
      const answers = [submit(5)];
      await turn();
      answers.push(submit(20));
      await turn();
      answers.push(submit(12));
      await turn();
      expect(sizes()).toEqual([5, 32]);
      await vi.advanceTimersByTimeAsync(10);
      answers.push(submit(1));
      await turn();
      expect(sizes()).toEqual([5, 32, 1]);
      await Promise.all(answers);
    });
  });

  it('knows a crowd that comes in threes by how fast it comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const ledger = new LyingLedger();
    const batcher = new Batcher(ledger, { itemsMax: 100, inFlightMax: 2, queueItemsMax: 1_000 });
    const answers: Promise<string>[] = [];
    for (let ms = 0; ms < 100; ms++) {
      answers.push(...[1, 2, 3].map((item) => batcher.submit(item)));
      await turn();
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(10);
    await Promise.all(answers);
    const sizes = ledger.calls.map(({ length }) => length);
    expect([sizes[0], sizes.at(-2)]).toEqual([3, 12]);
  });

  it('refuses at once what would wait too long', async () => {
    const batcher = new Batcher(new LyingLedger(), LIMITS);
    const answers = Array.from({ length: 11 }, (_, i) => batcher.submit(i));
    expect((await outcomes(answers)).at(-1)).toBe('overloaded');
  });

  it('refuses at once what would wait longer than it may, as fast as the ledger lately was, and takes it again when that is over', async () => {
    const ledger = new LyingLedger();
    const send = ledger.send.bind(ledger);
    ledger.send = async (items) => await new Promise((resolve) => setTimeout(() => resolve(send(items)), 20));
    const batcher = new Batcher(ledger, { itemsMax: 1, inFlightMax: 1, queueItemsMax: 1_000_000, waitMsMax: 5 });
    while (!(await outcomes([batcher.submit(1), batcher.submit(2)])).includes('overloaded')) await turn();
    expect(await outcomes([batcher.submit(3)])).toEqual(['did 3']);
  });

  it('answers a bad item alone and lets the others stand', async () => {
    const ledger = new LyingLedger();
    ledger.bad.add(2);
    const batcher = new Batcher(ledger, LIMITS);
    expect(await outcomes([0, 1, 2, 3].map((item) => batcher.submit(item)))).toEqual(['did 0', 'did 1', 'error', 'did 3']);
    expect(ledger.saved).toEqual([0, 1, 3]);
  });

  it.each([
    ['lose after', 'did 1', [1]],
    ['lose before', 'outcome.unknown', []],
    ['answer too little', 'did 1', [1]],
    ['fail before', 'error', []],
  ] as const)('when the ledger does "%s" it says %s and sends nothing twice', async (lie, expected, saved) => {
    const ledger = new LyingLedger();
    ledger.lies = [lie];
    const batcher = new Batcher(ledger, LIMITS);
    expect(await outcomes([batcher.submit(1)])).toEqual([expected]);
    expect(ledger.saved).toEqual(saved);
    expect(ledger.calls).toHaveLength(1);
  });

  it('looks for no bad item where nothing is taken at all, and tells everybody why', async () => {
    const sizes: number[] = [];
    const send = (items: readonly number[]) => {
      sizes.push(items.length);
      return Promise.reject(new Refusal('unavailable', 'log.rolled_back', 'stopped'));
    };
    const batcher = new Batcher<number, string>({ send, lookUp: send }, LIMITS);
    expect(await outcomes([1, 2, 3, 4].map((item) => batcher.submit(item)))).toEqual(Array(4).fill('log.rolled_back'));
    expect(sizes).toEqual([4]);
  });

  it('keeps why no answer came, for our log', async () => {
    const reason = new TypeError('x is not a function');
    const lost = () => Promise.reject(new LostReply(reason.message, { cause: reason }));
    const batcher = new Batcher({ send: lost, lookUp: lost }, LIMITS);
    await expect(batcher.submit(1)).rejects.toMatchObject({ code: 'outcome.unknown', cause: reason });
  });

  it('does not know the outcome while the ledger cannot be asked, and works on afterwards', async () => {
    const ledger = new LyingLedger();
    ledger.lies = ['lose after'];
    ledger.lookUpFails = true;
    const batcher = new Batcher(ledger, LIMITS);
    expect(await outcomes([batcher.submit(1)])).toEqual(['outcome.unknown']);
    expect(await outcomes([batcher.submit(2)])).toEqual(['did 2']);
  });
});
