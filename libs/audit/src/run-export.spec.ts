import { describe, expect, it } from 'vitest';
import { dayFilter, Exports } from './exports.js';
import { describeExports } from './testing/export-contract.js';
import { MemoryBundleFiles, MemoryExportStore } from './testing/memory-exports.js';
import { memoryWorld } from './testing/sealing-world.js';

describeExports('memory', () => {
  const bundleFiles = new MemoryBundleFiles();
  const readBundle = (name: string) => Promise.resolve(bundleFiles.bundles.get(name)!);
  return Promise.resolve({ ...memoryWorld(), requests: new MemoryExportStore(), bundleFiles, readBundle });
});

describe('a request', () => {
  it('a day is its 24 hours in UTC', () => {
    expect(dayFilter('2026-11-21')).toEqual({ from: '2026-11-21T00:00:00.000Z', to: '2026-11-22T00:00:00.000Z' });
  });

  it.each(['2026-02-30', '2026-11-21T00:00', '21.11.2026', 'today'])('refuses the day %s', (day) => {
    expect(() => dayFilter(day)).toThrow(/export\.filter_malformed/);
  });

  it.each([[{ from: '2026-11-21' }], [{ from: '2026-11-21T00:00:00.000Z', to: '2026-11-21T00:00:00.000Z' }], [{ kinds: [] }]])(
    'refuses the filter %j',
    async (filter) => {
      const exports = new Exports(new MemoryExportStore());
      await expect(exports.request(filter, 'acc-1', new Date(0), new Uint8Array(10))).rejects.toMatchObject({
        code: 'export.filter_malformed',
      });
    },
  );
});
