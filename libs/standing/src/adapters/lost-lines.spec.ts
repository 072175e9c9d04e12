import { mkdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { register } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CreditRecord } from '#contract';
import { encodeBase64Url, GrowingTree, leafHash, nodeCrypto, signJws } from '#evidence';
import { formatId } from '#kernel';
import { linesMissingMsMax, type RecordBatch } from '#records';
import { watchBatches } from '#records/adapters/batch-metrics';
import { bankSigner, jtiOf } from '#records/testing/records';
import type { LineExchange } from '../batch/line-books.js';
import { BatchWorld, lineOf, textOf } from '../testing/batch-world.js';
import { PgLineExchange } from './pg-line-exchange.js';

const MISSING = { name: 'LinesMissing' };
let world: BatchWorld;

beforeAll(async () => {
  world = await BatchWorld.open();
  watchBatches(world.fresh.database);
});
afterAll(() => world.close());
beforeEach(() => world.newSubject());

class Killed extends Error {}

/** Dies when it has saved the first page. */
function dyingAfterOne(): LineExchange {
  const real = new PgLineExchange(world.fresh.database);
  const many: LineExchange['many'] = async (work) => {
    await real.many(work);
    throw new Killed();
  };
  return { one: (work) => real.one(work), many };
}

const signedLines = (records: readonly CreditRecord[]) => textOf(records.map(lineOf));

async function sealedLines(records: readonly CreditRecord[]): Promise<Buffer> {
  const lines = records.map((record) => JSON.stringify(record));
  const tree = GrowingTree.restore(nodeCrypto, 0n, []);
  for (const line of lines) await tree.append([await leafHash(nodeCrypto, Buffer.from(line))]);
  const payload = { iss: 'bank-a', jti: jtiOf(1), iat: 1_700_000_000, count: lines.length, root: encodeBase64Url(await tree.root()) };
  return Buffer.from([await signJws('record-batch+jwt', payload, bankSigner), ...lines].join('\n'));
}

const fileOf = ({ id }: RecordBatch) => path.join(world.folder, `${formatId('bat', id)}.ndjson`);

function loseFolder(): void {
  rmSync(world.folder, { recursive: true });
  mkdirSync(world.folder);
}

async function tryAgain(batch: RecordBatch, afterMs = 0): Promise<string> {
  world.exchange.clock.advance(afterMs);
  await world.endLease(batch.id);
  return await world.runner().run(batch.id);
}

async function failed(batch: RecordBatch): Promise<void> {
  await expect(tryAgain(batch)).rejects.toMatchObject(MISSING);
  expect(await tryAgain(batch, linesMissingMsMax)).toBe('failed');
}

const stateOf = async ({ id }: RecordBatch) => (await world.store.find(id))!;
const factsOf = async ({ id }: RecordBatch) =>
  (
    await world.fresh.database.query<{ kind: string }>(`SELECT kind FROM facts WHERE body::jsonb ->> 'batch' = $1 ORDER BY seq`, [
      formatId('bat', id),
    ])
  ).map(({ kind }) => kind);

describe('a batch whose lines were lost', () => {
  it('waits for them, and goes on when they are back: a folder of another machine may not be mounted yet', async () => {
    const { batch } = await world.receive(signedLines([world.rated(), world.rated()]));
    renameSync(fileOf(batch), `${fileOf(batch)}.elsewhere`);
    await expect(tryAgain(batch)).rejects.toMatchObject(MISSING);
    await expect(tryAgain(batch, linesMissingMsMax - 1)).rejects.toMatchObject(MISSING);
    expect(await register.metrics()).toContain('tallystick_batches_missing_lines{state="PROCESSING"} 1');
    renameSync(`${fileOf(batch)}.elsewhere`, fileOf(batch));
    expect(await tryAgain(batch)).toBe('done');
    expect(await stateOf(batch)).toMatchObject({ state: 'DONE', accepted: 2, linesMissingSince: undefined });
  });

  it('counts the time anew when they were there in between', async () => {
    const { batch } = await world.receive(signedLines(Array.from({ length: 300 }, () => world.rated())));
    renameSync(fileOf(batch), `${fileOf(batch)}.elsewhere`);
    await expect(tryAgain(batch)).rejects.toMatchObject(MISSING);
    renameSync(`${fileOf(batch)}.elsewhere`, fileOf(batch));
    await world.endLease(batch.id);
    await expect(world.runner(dyingAfterOne()).run(batch.id)).rejects.toThrow(Killed);
    loseFolder();
    await expect(tryAgain(batch, linesMissingMsMax)).rejects.toMatchObject(MISSING);
    expect(await stateOf(batch)).toMatchObject({ state: 'PROCESSING', accepted: 256 });
  });

  it('ends after an hour with its reason, says so once, and is tried no more', async () => {
    const { batch } = await world.receive(signedLines([world.rated()]));
    loseFolder();
    await failed(batch);
    expect(await stateOf(batch)).toMatchObject({ state: 'FAILED', accepted: 0, finishedAt: world.exchange.clock.now() });
    expect(await tryAgain(batch)).toBe('held');
    expect((await world.store.outstanding(10)).map(({ id }) => id.uuid)).not.toContain(batch.id.uuid);
    expect(await factsOf(batch)).toEqual(['batch.received', 'batch.failed']);
    expect(await register.metrics()).toContain('tallystick_batches_missing_lines{state="FAILED"} 1');
  });

  it('makes nothing of lines that are not all there: one cut in two would be refused, and those behind it left out', async () => {
    const { batch } = await world.receive(signedLines([world.rated(), world.rated()]));
    truncateSync(fileOf(batch), batch.sizeBytes - 7);
    await failed(batch);
    expect(await stateOf(batch)).toMatchObject({ state: 'FAILED', accepted: 0, refused: 0 });
  });

  it('is done without them where each line has its outcome', async () => {
    const { batch } = await world.receive(signedLines([world.rated()]));
    await expect(world.runner(dyingAfterOne()).run(batch.id)).rejects.toThrow(Killed);
    loseFolder();
    expect(await tryAgain(batch)).toBe('done');
    expect(await stateOf(batch)).toMatchObject({ state: 'DONE', accepted: 1 });
  });
});

describe('the same lines, sent again', () => {
  it.each([
    ['signed', signedLines, false],
    ['sealed', sealedLines, true],
  ] as const)(
    'are the same batch, which goes on where it failed: %s, each line once with its first receipt',
    async (_how, made, sealed) => {
      const records = Array.from({ length: 300 }, () => world.rated());
      const bytes = await made(records);
      const { batch } = await world.receive(bytes, { sealed });
      await expect(world.runner(dyingAfterOne()).run(batch.id)).rejects.toThrow(Killed);
      const jtis = records.map(({ jti }) => jti);
      const before = await world.book.receiptsOf('bank-a', jtis.slice(0, 256));
      expect(before.size).toBe(256);
      loseFolder();
      await failed(batch);
      const again = await world.receive(bytes, { sealed });
      expect(again).toMatchObject({ repeated: false, batch: { id: batch.id, state: 'RECEIVED', accepted: 256, finishedAt: undefined } });
      expect(await world.receive(bytes, { sealed })).toMatchObject({ repeated: true, batch: { id: batch.id } });
      expect(await world.runner().run(batch.id)).toBe('done');
      expect(await stateOf(batch)).toMatchObject({ state: 'DONE', accepted: 300, repeated: 0, refused: 0 });
      expect(await world.outcomesOf(batch)).toEqual(records.map((_, i) => `${i + (sealed ? 2 : 1)} ACCEPTED`));
      const after = await world.book.receiptsOf('bank-a', jtis);
      expect([after.size, jtis.slice(0, 256).every((jti) => after.get(jti) === before.get(jti))]).toEqual([300, true]);
      expect(await factsOf(batch)).toEqual(['batch.received', 'batch.failed', 'batch.received', 'batch.done']);
      expect(await world.gaps()).toBe(0n);
      if (sealed) expect(await world.files.inclusionPath(batch.id, 299, 300)).not.toEqual([]);
    },
  );

  it('while they are missed take their place at once; the worker that missed them keeps nothing', async () => {
    const bytes = signedLines([world.rated(), world.rated()]);
    const { batch } = await world.receive(bytes);
    loseFolder();
    await expect(tryAgain(batch)).rejects.toMatchObject(MISSING);
    await world.endLease(batch.id);
    const late = (await world.store.lease(batch.id))!;
    expect(await world.receive(bytes)).toMatchObject({ repeated: false, batch: { id: batch.id } });
    await expect(world.store.missLines(late.lease, new Date(8e15), 0, [{} as never])).rejects.toMatchObject({ name: 'BatchLeaseLost' });
    expect(await world.runner().run(batch.id)).toBe('done');
    expect(await stateOf(batch)).toMatchObject({ state: 'DONE', accepted: 2 });
  });

  it('by two at once are one batch that goes on once', async () => {
    const bytes = signedLines(Array.from({ length: 50 }, () => world.rated()));
    const { batch } = await world.receive(bytes);
    loseFolder();
    await failed(batch);
    const answers = await Promise.all([world.receive(bytes), world.receive(bytes), world.receive(bytes)]);
    expect(answers.map(({ repeated }) => repeated).sort()).toEqual([false, true, true]);
    expect((await Promise.all([world.runner().run(batch.id), world.runner().run(batch.id)])).sort()).toEqual(['done', 'held']);
    expect(await stateOf(batch)).toMatchObject({ state: 'DONE', accepted: 50, repeated: 0 });
  });
});
