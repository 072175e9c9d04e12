import { describe, expect, it, vi } from 'vitest';
import { ManualClock, type ShardedId } from '#kernel';
import { readCamt053 } from './camt053/read-camt053.js';
import { ReceiveStatement } from './receive-statement.js';
import { ReconcileStatement } from './reconcile-statement.js';
import { surveyStatement } from './survey-statement.js';
import { FakePaymentFinder } from './testing/fake-payment-finder.js';
import { MemoryReconciliationStore } from './testing/memory-reconciliation-store.js';
import { BANK, camt053, type SampleEntry, samplePayment, type SampleStatement, sampleUuid } from './testing/samples.js';

class World {
  readonly clock = new ManualClock(new Date('2026-03-02T02:00:00Z'));
  readonly store = new MemoryReconciliationStore(() => this.clock.now().getTime());
  private files = 0;

  async receive(entries: readonly SampleEntry[], statement: SampleStatement = {}) {
    const bytes = camt053(entries, { id: `STM-${++this.files}`, ...statement });
    const survey = await surveyStatement(readCamt053([bytes]));
    const receive = new ReceiveStatement(this.store, this.clock, () => sampleUuid(500 + this.files));
    async function* read() {
      yield bytes;
    }
    const { reconciliation } = await receive.receive(BANK, {
      survey,
      digest: String(this.files).padStart(64, '0'),
      sizeBytes: bytes.length,
      read,
    });
    return reconciliation.id;
  }

  reconcile(payments: ReturnType<typeof samplePayment>[]) {
    return new ReconcileStatement(this.store, new FakePaymentFinder(payments), this.clock);
  }

  async breaksOf(id: ShardedId) {
    return (await this.store.outcomes(id, 'breaks', 0, 100)).map(
      ({ kind, line, payment }) => `${kind} ${payment?.paymentReference ?? line?.endToEndId}`,
    );
  }
}

describe('a statement file', () => {
  it('that agrees is BALANCED, with its facts and progress', async () => {
    const world = new World();
    const id = await world.receive([{ endToEndId: 'P-1' }, { endToEndId: 'P-2' }]);
    const seen: object[] = [];
    const result = await world.reconcile([samplePayment(1), samplePayment(2)]).run(id, async (progress) => void seen.push(progress));
    expect(result).toBe('closed');
    expect(await world.store.find(id)).toMatchObject({ state: 'BALANCED', counts: { MATCHED: 2 } });
    expect(seen.at(-1)).toEqual({ linesTotal: 2, linesRead: 2, linesMatched: 2 });
    expect(world.store.facts.map(({ kind }) => kind)).toEqual(['statement.received', 'reconciliation.balanced']);
  });

  it('that agrees but does not tie is BROKEN without a break', async () => {
    const world = new World();
    const id = await world.receive([{ endToEndId: 'P-1' }], { closingMinor: 1n });
    await world.reconcile([samplePayment(1)]).run(id);
    expect(await world.store.find(id)).toMatchObject({ state: 'BROKEN', counts: { MATCHED: 1 } });
    expect(await world.breaksOf(id)).toEqual([]);
  });

  it('names every planted break and nothing else', async () => {
    const world = new World();
    const payments = [1, 2, 3, 4, 5, 6].map((n) => samplePayment(n));
    const id = await world.receive([
      { endToEndId: 'P-1' },
      { endToEndId: 'P-2', minor: 10_001n },
      { endToEndId: 'P-3', minor: 1n },
      { endToEndId: 'P-4' },
      { endToEndId: 'P-4' },
      { endToEndId: 'P-6', currency: 'EUR' },
      { endToEndId: 'STRANGE' },
    ]);
    await world.reconcile(payments).run(id);
    expect(await world.breaksOf(id)).toEqual([
      'OVER_AMOUNT P-2',
      'UNDER_AMOUNT P-3',
      'DUPLICATE P-4',
      'CURRENCY_MISMATCH P-6',
      'MISSING_OURS STRANGE',
      'MISSING_THEIRS P-5',
    ]);
  });

  it('neither sees nor touches the payments of another bank or of another day and currency', async () => {
    const world = new World();
    const id = await world.receive([{ endToEndId: 'P-1' }]);
    const others = [
      samplePayment(1, { channel: 'bank-b' }),
      samplePayment(2, { confirmedAt: new Date('2026-03-02T00:00:00Z') }),
      samplePayment(3, { money: { minor: 5n, currency: 'EUR' } }),
      samplePayment(4, { channel: undefined }),
    ];
    await world.reconcile(others).run(id);
    expect(await world.breaksOf(id)).toEqual(['MISSING_OURS P-1']);
  });

  it('does not miss what an earlier statement showed, and calls its second showing a duplicate', async () => {
    const world = new World();
    const payments = [samplePayment(1), samplePayment(2)];
    const first = await world.receive([{ endToEndId: 'P-1' }]);
    const second = await world.receive([{ endToEndId: 'P-2' }, { endToEndId: 'P-1', minor: 7n }]);
    await world.reconcile(payments).run(first);
    await world.reconcile(payments).run(second);
    expect(await world.breaksOf(first)).toEqual(['MISSING_THEIRS P-2']);
    expect(await world.breaksOf(second)).toEqual(['DUPLICATE P-1']);
  });

  it('finds a payment that was missed yesterday and calls it late when it is', async () => {
    const world = new World();
    const payments = [samplePayment(1), samplePayment(2)];
    const id = await world.receive([{ endToEndId: 'P-1' }, { endToEndId: 'P-2' }], { day: '2026-03-08' });
    await world.reconcile(payments).run(id);
    expect(await world.breaksOf(id)).toEqual(['LATE P-1', 'LATE P-2']);
  });
});

describe('work that is done twice, or half', () => {
  const payments = Array.from({ length: 2_500 }, (_, i) => samplePayment(i + 1));
  const entries = payments.map(({ paymentReference }) => ({ endToEndId: paymentReference }));

  it('is held by one and has one effect', async () => {
    const world = new World();
    const id = await world.receive(entries.slice(0, 5));
    const flow = world.reconcile(payments.slice(0, 5));
    const results = await Promise.all([flow.run(id), flow.run(id), flow.run(id)]);
    expect(results.sort()).toEqual(['closed', 'held', 'held']);
    expect(await flow.run(id)).toBe('held');
    expect(world.store.facts).toHaveLength(2);
  });

  it('goes on where it failed, whichever write fails', async () => {
    for (let failAt = 1; failAt <= 7; failAt++) {
      const world = new World();
      const id = await world.receive(entries);
      const flow = world.reconcile(payments);
      let writes = 0;
      for (const name of ['saveLines', 'saveOutcomes', 'close'] as const) {
        const write = world.store[name].bind(world.store) as (...args: never[]) => Promise<void>;
        // Odd ones fail before they save, even ones after: both happen to a real network.
        world.store[name] = (async (...args: never[]) => {
          const fails = ++writes === failAt;
          if (fails && failAt % 2 === 1) throw new Error('lost before');
          await write(...args);
          if (fails) throw new Error('lost after');
        }) as never;
      }
      await expect(flow.run(id), `write ${failAt}`).rejects.toThrow('lost');
      expect(await flow.run(id)).toBe('held');
      world.clock.advance(10 * 60_000);
      await flow.run(id);
      expect(await world.store.find(id), `write ${failAt}`).toMatchObject({ state: 'BALANCED', counts: { MATCHED: 2_500 } });
      expect(world.store.facts.map(({ kind }) => kind)).toEqual(['statement.received', 'reconciliation.balanced']);
    }
  });

  it('comes again soon after it failed, and later each time, not only when its lease is over', async () => {
    const world = new World();
    const id = await world.receive([{ endToEndId: 'P-1' }]);
    const flow = world.reconcile([samplePayment(1)]);
    const close = world.store.close.bind(world.store);
    world.store.close = () => Promise.reject(new Error('down'));
    for (const waitS of [5, 10, 20, 40, 80, 160, 320, 320]) {
      await expect(flow.run(id)).rejects.toThrow('down');
      world.clock.advance(waitS * 1_000 - 1);
      expect(await flow.run(id), `before ${waitS} s`).toBe('held');
      world.clock.advance(1);
    }
    world.store.close = close;
    expect(await flow.run(id)).toBe('closed');
  });

  it('is left to whoever took it over, without a release', async () => {
    const world = new World();
    const id = await world.receive([{ endToEndId: 'P-1' }]);
    const released = vi.spyOn(world.store, 'release');
    const saveOutcomes = world.store.saveOutcomes.bind(world.store);
    world.store.saveOutcomes = async (...args) => {
      world.clock.advance(60_000);
      await world.store.lease(id, 15_000);
      await saveOutcomes(...args);
    };
    expect(await world.reconcile([samplePayment(1)]).run(id)).toBe('lost');
    expect(released).not.toHaveBeenCalled();
  });
});
