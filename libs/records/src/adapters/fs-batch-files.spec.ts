import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { formatId, type ShardedId } from '#kernel';
import type { BatchState } from '../batch/batch.js';
import { FsBatchFiles } from './fs-batch-files.js';

const HOUR_MS = 3_600_000;
const AT = new Date('2026-11-22T12:00:00Z');
const folder = mkdtempSync(path.join(tmpdir(), 'batches-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [known, unknown, young, done, failed] = [1, 2, 3, 4, 5].map((n) =>
  formatId('bat', { shard: 0, uuid: `01890000-0000-7000-8000-00000000000${n}` }),
);
const [dead, live] = ['6f7c1e7e-0000-4000-8000-000000000001.partial', '6f7c1e7e-0000-4000-8000-000000000002.partial'];

function write(name: string, hoursOld: number): void {
  const at = new Date(AT.getTime() - hoursOld * HOUR_MS);
  writeFileSync(path.join(folder, name), 'x');
  utimesSync(path.join(folder, name), at, at);
}

it('what a killed process left of uploads is swept, and nothing that is in use or kept', async () => {
  const left = [`${dead}.ndjson`, `${dead}.hashes-0`, `${unknown}.ndjson`, `${unknown}.hashes-0`, `${done}.ndjson`, `${failed}.ndjson`];
  const kept = [`${live}.ndjson`, `${young}.ndjson`, `${known}.ndjson`, `${known}.hashes-0`, `${done}.hashes-0`, 'notes.txt'];
  for (const name of left) write(name, 8);
  for (const name of kept) write(name, name.startsWith(live!) || name.startsWith(young!) ? 6 : 8);
  const files = new FsBatchFiles(folder);
  const states = new Map<string, BatchState>([
    [known!, 'PROCESSING'],
    [done!, 'DONE'],
    [failed!, 'FAILED'],
  ]);
  const stateOf = async (id: ShardedId) => states.get(formatId('bat', id));
  expect(await files.sweep(AT, stateOf)).toBe(5);
  expect(readdirSync(folder).sort()).toEqual([...kept].sort());
  expect(await files.sweep(AT, stateOf)).toBe(0);
  expect(await new FsBatchFiles(path.join(folder, 'nowhere')).sweep(AT, stateOf)).toBe(0);
});
