import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SetTree } from '#evidence';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { ISSUED } from '../record-set/record-set.js';
import { RecordSets } from '../record-set/record-sets.js';
import { pageItemsMax, type RecordSetSource } from '../record-set/store.js';
import { SealedRecords } from '../testing/sealed-records.js';
import { PgRecordSetSource } from './pg-record-set-source.js';

const BANKS = ['bank-a', 'bank-b'];
const pause = () => Promise.resolve();

/** Numbers that only look random: the same for every run. */
function diceOf(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function told(tree: SetTree): string[] {
  return Array.from({ length: tree.size }, (_, i) => tree.at(i)).map(
    ({ timestamp, id }) => `${timestamp} ${Buffer.from(id).toString('hex')}`,
  );
}

describe('a set of records out of PostgreSQL', () => {
  let fresh: FreshDatabase;
  let world: SealedRecords;
  let source: PgRecordSetSource;
  const dice = diceOf(7);
  const process = (over: RecordSetSource = source, itemsMax?: number) => new RecordSets(over, pause, itemsMax);
  const at = async (sets: RecordSets, bank: string, logIndex?: number) =>
    await sets.snapshot(bank, { set: ISSUED, logIndex: logIndex === undefined ? undefined : BigInt(logIndex) });

  beforeAll(async () => {
    fresh = await freshDatabase();
    source = new PgRecordSetSource(fresh.database);
    world = new SealedRecords(fresh.database, dice);
  });
  afterAll(() => fresh.close());

  it('is empty before anything is sealed', async () => {
    expect(await at(process(), 'bank-a')).toMatchObject({ count: 0, place: { logIndex: 0n } });
    await world.accept(BANKS, 10);
    expect((await at(process(), 'bank-a')).count).toBe(0);
  });

  it('is the same at each log index, forth and back, in every process, while records come in', async () => {
    const processes = [process(), process(source, 50), process()];
    for (let round = 0; round < 60; round++) {
      if (dice(3) === 0) await world.accept(BANKS, dice(80));
      if (dice(3) === 0) await world.seal();
      const [bank, index] = [BANKS[dice(2)]!, dice(4) === 0 ? world.log.length : dice(world.log.length + 1)];
      const snapshots = await Promise.all(processes.map((sets) => at(sets, bank, index)));
      for (const { tree } of snapshots) expect(told(tree)).toEqual(world.set(bank, index));
    }
    expect(world.log.length).toBeGreaterThan(500);
    await expect(at(process(), 'bank-a', world.log.length + 1)).rejects.toMatchObject({ code: 'record_set.log_index' });
  });

  it('stays as it was where reading breaks off, and goes on', async () => {
    await world.accept(BANKS, 200);
    await world.seal();
    let left = 3;
    const breaking: RecordSetSource = {
      publishedSize: () => source.publishedSize(),
      kept: (participant, upTo) => source.kept(participant, upTo),
      keep: (...args) => source.keep(...args),
      recordsAt: (...args) => source.recordsAt(...args),
      collect: async function* (participant, from, to) {
        for await (const page of source.collect(participant, from, to)) {
          if (--left === 0) throw new Error('the connection broke');
          yield page;
        }
      },
    };
    const sets = process(breaking);
    await expect(at(sets, 'bank-a')).rejects.toThrow('the connection broke');
    expect(told((await at(sets, 'bank-a')).tree)).toEqual(world.set('bank-a', world.log.length));
  });

  it('is kept in pages by whoever comes first, and read from them by those who come later', async () => {
    await world.accept(['bank-a'], pageItemsMax + 100);
    const [early, warm] = [await world.seal(), process()];
    await world.accept(BANKS, 300);
    const late = await world.seal();
    const [first, second] = await Promise.all([at(process(), 'bank-a', early), at(warm, 'bank-a', late)]);
    expect([first.count, second.count]).toEqual([world.set('bank-a', early).length, world.set('bank-a', late).length]);
    expect((await pagesOf('bank-a')).length).toBeGreaterThan(1);
    // What comes after is on top of pages that another process may have kept.
    await world.accept(['bank-a'], pageItemsMax);
    const last = await world.seal();
    expect(told((await at(warm, 'bank-a', last)).tree)).toEqual(world.set('bank-a', last));
    const pages = await pagesOf('bank-a');
    const runs = [...new Map(pages.map(({ first_index, end_index }) => [first_index, end_index]))];
    expect(runs.map(([from]) => from)).toEqual([0n, ...runs.slice(0, -1).map(([, end]) => end)]);
    await forgetRecordsBelow(runs.at(-1)![1]);
    for (const index of [last, late]) {
      if (BigInt(index) >= runs.at(-1)![1]) expect(told((await at(process(), 'bank-a', index)).tree)).toEqual(world.set('bank-a', index));
    }
    expect((await at(process(), 'bank-a', last)).count).toBe(world.set('bank-a', last).length);
  });

  it('gives its records back by their ids, and nobody else’s', async () => {
    await world.accept(BANKS, 20);
    await world.seal();
    const sets = process();
    const [own, others] = [
      world.log.filter((record) => record?.iss === 'bank-b').slice(-5),
      world.log.filter((record) => record?.iss === 'bank-a').slice(-5),
    ];
    const ids = [...own, ...others].map((record) => Buffer.from(record!.id, 'hex'));
    const found = await sets.find(await at(sets, 'bank-b'), ids);
    expect(found.map(({ id }) => Buffer.from(id).toString('hex')).sort()).toEqual(own.map((record) => record!.id).sort());
    expect(found.every(({ received, id }) => Buffer.from(received).equals(Buffer.from(id)))).toBe(true);
  });

  it('cannot be changed by the applications once it is kept', async () => {
    await expect(fresh.database.query(`UPDATE record_set_pages SET items = ''`)).rejects.toThrow(/permission denied/);
    await expect(fresh.database.query('DELETE FROM record_set_statements')).rejects.toThrow(/permission denied/);
  });

  const pagesOf = (participant: string) =>
    fresh.database.query<{ first_index: bigint; end_index: bigint }>(
      `SELECT first_index, end_index FROM record_set_pages WHERE participant = $1 ORDER BY first_index, page`,
      [participant],
    );

  /** As the owner of the schema: what is there afterwards came from the pages. */
  async function forgetRecordsBelow(logIndex: bigint): Promise<void> {
    const owner = new pg.Client({ connectionString: fresh.url });
    await owner.connect();
    const gone = world.log.slice(0, Number(logIndex)).filter((record) => record?.iss === 'bank-a');
    await owner.query('DELETE FROM records WHERE payload_digest = ANY ($1)', [gone.map((record) => Buffer.from(record!.id, 'hex'))]);
    await owner.end();
  }
});
