import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CreditRecord } from '#contract';
import { encodeBase64Url, GrowingTree, leafHash, nodeCrypto, signJws, verifySealedLine } from '#evidence';
import type { Refusal } from '#kernel';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import { bankKey, bankSigner, jtiOf, rating, violation } from '#records/testing/records';
import { BatchWorld } from '../testing/batch-world.js';
import { openManifest } from './read-record.js';

let world: BatchWorld;

beforeAll(async () => {
  world = await BatchWorld.open();
});
afterAll(() => world.close());
beforeEach(() => world.newSubject());

const textOf = (record: CreditRecord) => JSON.stringify(record);

async function manifestOf(lines: readonly string[], change: object = {}): Promise<string> {
  const tree = GrowingTree.restore(nodeCrypto, 0n, []);
  for (const line of lines) await tree.append([await leafHash(nodeCrypto, Buffer.from(line))]);
  const root = encodeBase64Url(await tree.root());
  return signJws(
    'record-batch+jwt',
    { iss: 'bank-a', jti: jtiOf(1), iat: 1_700_000_000, count: lines.length, root, ...change },
    bankSigner,
  );
}

const sealed = async (lines: readonly string[], change?: object) => Buffer.from([await manifestOf(lines, change), ...lines].join('\n'));
const receive = (bytes: Buffer) => world.receive(bytes, { sealed: true });

describe('a sealed batch', () => {
  it('makes a record of every line under one signature, and refuses bad lines alone', async () => {
    const reported = world.record({ kind: 'violation', violation: violation('MAJOR', world.exchange.clock.now()) });
    const records = [...Array.from({ length: 300 }, () => world.rated()), reported, world.rated()];
    const lines = records.map(textOf);
    lines[10] = '{"iss":"bank-a","iss":"bank-a"}';
    lines[20] = textOf({ ...records[20]!, iss: 'bank-b' });
    // A name that no text of PostgreSQL can hold: its refusal could not be kept, and its batch never ended (2026-11-22).
    lines[30] = textOf({ ...records[30]!, '\u0000': 1 } as object as CreditRecord);
    lines[290] = textOf({ ...records[290]!, rating: { ...rating(800), score: 99 } } as CreditRecord);
    const bytes = await sealed(lines);
    const { batch } = await receive(bytes);
    expect(await world.runner().run(batch.id)).toBe('done');
    expect(await world.store.find(batch.id)).toMatchObject({ state: 'DONE', linesTotal: 302, accepted: 298, refused: 4 });
    const refused = await world.store.outcomes(batch.id, 0, 10, true);
    expect(refused.map(({ line, code }) => `${line} ${code}`)).toEqual([
      ...['12 record.malformed', '22 record.issuer_mismatch', '32 record.malformed', '292 record.inconsistent'],
    ]);
    // They were told when the batch was received, whole tiles by threads and the rest without.
    expect(batch.faults).toEqual({ count: 4, first: refused.map(({ line, code, detail, field }) => ({ line, code, detail, field })) });
    const kept = (await world.store.find(batch.id))!.faults;
    expect(JSON.parse(JSON.stringify(batch.faults))).toEqual(kept);

    const first = await new PgRecordBook(world.fresh.database).find('bank-a', records[5]!.jti);
    expect(Buffer.from(first!.received).toString()).toBe(lines[5]);
    // Whether it was saved with others or judged alone, a line knows its place.
    for (const at of [5, 300, 301]) {
      const { sealed: place, manifest } = (await new PgRecordBook(world.fresh.database).find('bank-a', records[at]!.jti))!;
      expect([place, Buffer.from(manifest!).toString()]).toEqual([{ batch: batch.id.uuid, index: at }, bytes.toString().split('\n')[0]]);
    }
  });

  it('proves each line alone afterwards, by its audit path; another line does not pass', async () => {
    const lines = Array.from({ length: 9 }, () => textOf(world.rated()));
    const { batch } = await receive(await sealed(lines));
    await world.runner().run(batch.id);
    const manifest = await openManifest({ findKey: () => bankKey }, 'bank-a', (await world.store.find(batch.id))!.manifest!);
    for (const [i, line] of lines.entries()) {
      const path = await world.files.inclusionPath(batch.id, i, lines.length);
      await verifySealedLine(nodeCrypto, manifest, i, Buffer.from(line), path);
      const other = Buffer.from(lines[(i + 1) % lines.length]!);
      await expect(verifySealedLine(nodeCrypto, manifest, i, other, path)).rejects.toMatchObject({ code: 'proof.mismatch' });
    }
    const [place] = await world.fresh.database.query<{ line_index: bigint; batch: string }>(
      `SELECT batch, line_index FROM records WHERE iss = 'bank-a' AND jti = $1`,
      [(JSON.parse(lines[4]!) as { jti: string }).jti],
    );
    expect(place).toEqual({ batch: batch.id.uuid, line_index: 4n });
  });

  it('goes on where its worker died', async () => {
    const lines = Array.from({ length: 400 }, () => textOf(world.rated()));
    const { batch } = await receive(await sealed(lines));
    const lease = (await world.store.lease(batch.id))!;
    expect(lease.batch).toMatchObject({ nextLine: 2 });
    await world.endLease(batch.id);
    expect(await world.runner().run(batch.id)).toBe('done');
    expect(await world.store.find(batch.id)).toMatchObject({ accepted: 400 });
    expect(await world.gaps()).toBe(0n);
  });

  it('whose lines were changed while they waited makes no record of them', async () => {
    const lines = Array.from({ length: 3 }, () => textOf(world.rated()));
    const { batch } = await receive(await sealed(lines));
    world.spoil(batch.id);
    await expect(world.runner().run(batch.id)).rejects.toMatchObject({ code: 'proof.mismatch' });
    expect(await world.store.find(batch.id)).toMatchObject({ accepted: 0 });
  });

  const two = () => [textOf(world.rated()), textOf(world.rated())];
  it.each<[string, () => Promise<Buffer>]>([
    ['batch.count_mismatch', () => sealed(two(), { count: 3 })],
    ['batch.root_mismatch', () => sealed(two(), { root: encodeBase64Url(new Uint8Array(32)) })],
    ['batch.manifest_malformed', () => sealed(two(), { count: 0 })],
    ['batch.manifest_malformed', () => sealed(two(), { more: 1 })],
    ['batch.manifest_malformed', () => sealed(two(), { root: 'short' })],
    ['record.issuer_mismatch', () => sealed(two(), { iss: 'bank-b' })],
    ['batch.too_large', () => sealed(two(), { count: 2_001 })],
    ['batch.blank_line', async () => Buffer.from((await sealed(two())).toString().replaceAll('\n', '\n\n'))],
    ['batch.line_too_long', () => sealed(['x'.repeat(70_000)])],
    ['batch.empty', () => Promise.resolve(Buffer.from(''))],
    ['signature.malformed', () => Promise.resolve(Buffer.from('{}\n{}'))],
    [
      'signature.invalid',
      async () => Buffer.from((await sealed(two())).toString().replace(/\.[A-Za-z0-9_-]{8}([A-Za-z0-9_-]+)\n/, '.AAAAAAAA$1\n')),
    ],
  ])('is refused as %s before a line is used, and leaves nothing', async (code, make) => {
    await expect(receive(await make())).rejects.toMatchObject({ code } satisfies Partial<Refusal>);
    expect(world.filesLeft.filter((name) => name.includes('partial'))).toEqual([]);
  });
});
