import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import type { BatchStore, NewBatch, RecordBatch } from './batch.js';
import { ReceiveBatch, type SpooledBatch } from './receive-batch.js';

const content: SpooledBatch['content'] = {
  ...{ digest: 'd', sizeBytes: 1, linesTotal: 1, nextLine: 1, nextByte: 0 },
  ...{ faults: undefined, manifest: undefined },
};

/** Lines on a disk, and a store that saves a batch once and then answers as it is told. */
function received(
  answer: (saved: RecordBatch) => { batch: RecordBatch; repeated: boolean },
  resume: (missed: RecordBatch) => RecordBatch | undefined = () => undefined,
) {
  const world = { lines: 'spooled', saved: undefined as RecordBatch | undefined };
  const spooled: SpooledBatch = {
    content,
    keepAs: async () => void (world.lines = 'kept'),
    discard: async () => void (world.lines = 'gone'),
  };
  const store = {
    findSame: async () => world.saved,
    resume: async () => resume(world.saved!),
    receive: async (batch: NewBatch) => {
      world.saved ??= { ...batch, state: 'RECEIVED' } as RecordBatch;
      return answer(world.saved);
    },
  } as unknown as BatchStore;
  const batches = new ReceiveBatch(store, { now: () => new Date() }, () => '00000000-0000-7000-8000-000000000001');
  return { world, receive: () => batches.receive('bank-a', spooled) };
}

const fails = (error: Error) => () => {
  throw error;
};

describe('the lines of a batch that comes in', () => {
  it('stay where it is told of', async () => {
    const { world, receive } = received((batch) => ({ batch, repeated: false }));
    expect(await receive()).toMatchObject({ repeated: false });
    expect(world.lines).toBe('kept');
  });

  it('stay where the answer to its commit was lost: it may stand, and whoever sends it again is told of it', async () => {
    const { world, receive } = received(fails(new Error('Connection terminated unexpectedly')));
    await expect(receive()).rejects.toThrow('Connection terminated');
    expect(world).toMatchObject({ lines: 'kept', saved: { state: 'RECEIVED' } });
  });

  it.each([
    ['was refused', fails(new Refusal('throttled', 'batch.too_many_open', 'wait'))],
    ['came first another time', (batch: RecordBatch) => ({ batch, repeated: true })],
  ])('go where it %s', async (_what, answer) => {
    const { world, receive } = received(answer);
    await receive().catch(() => undefined);
    expect(world.lines).toBe('gone');
  });

  it.each([
    ['go on in the batch that lost them', (batch: RecordBatch) => batch, false],
    ['came back another way meanwhile', () => undefined, true],
    ['are too many', fails(new Refusal('throttled', 'batch.too_many_open', 'wait')), undefined],
  ])('stay under the name of the batch that misses them, where they %s: another copy may be in use', async (_what, resume, repeated) => {
    const { world, receive } = received((batch) => ({ batch, repeated: true }), resume);
    world.saved = {
      ...content,
      id: { shard: 0, uuid: '01890000-0000-7000-8000-000000000001' },
      state: 'FAILED',
      linesMissingSince: new Date(),
    } as unknown as RecordBatch;
    expect(await receive().catch(() => undefined)).toEqual(repeated === undefined ? undefined : { batch: world.saved, repeated });
    expect(world.lines).toBe('kept');
  });
});
