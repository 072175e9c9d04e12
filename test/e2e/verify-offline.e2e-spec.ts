import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportKeyName, formatVkey, nodeCrypto, vkeyOf } from '#evidence';
import { Exports, ExportRunner, LogEntries, StoredInclusionProofs } from '#audit';
import { FsBundleFiles } from '#audit/adapters/fs-bundle-files';
import { PgExportStore } from '#audit/adapters/pg-export-store';
import { pgWorld } from '#audit/testing/pg-sealing-world';
import { newSealer, newSigner, shardA } from '#audit/testing/sealing-world';

/** Clears the screen, rings, and colours what follows. */
const STEERING = '\u001b[2J\u0007\u001b[32m';

const CLI = path.resolve('dist/apps/cli/src/main.js');

/** The built command in a process of its own that is given no environment: no settings, no database. */
function verify(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'verify', ...args], { env: {}, cwd: tmpdir() }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

describe.skipIf(!existsSync(CLI))('tallystick verify, offline (skipped where nothing is built)', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-verify-'));
  const [bundle, proof, keys] = ['day.tar', 'fact.tlog-proof', 'vkey'].map((name) => path.join(folder, name)) as [string, string, string];

  beforeAll(async () => {
    const world = await pgWorld();
    const [log, signer, requests] = [await newSealer(world).vkey(), newSigner(), new PgExportStore(world.database)];
    const exports = new Exports(requests);
    await world.addFacts(shardA, 20);
    const id = await exports.request({}, `acc-1${STEERING}`, new Date(), new Uint8Array(10));
    await newSealer(world).sealOnce();
    const entries = new LogEntries(nodeCrypto, world.store, world.sources);
    const parts = { crypto: nodeCrypto, exports, requests, log: world.store, entries, signer };
    const files = new FsBundleFiles(folder);
    const runner = new ExportRunner({ ...parts, files, logKey: () => Promise.resolve(log), pause: () => Promise.resolve() });
    writeFileSync(bundle, readFileSync(files.path(await runner.run(id))));
    const found = await new StoredInclusionProofs(nodeCrypto, world.store, entries).find(shardA, 7n);
    writeFileSync(proof, found!.proof);
    writeFileSync(keys, [log, await vkeyOf(nodeCrypto, exportKeyName(log.name), signer)].map(formatVkey).join('\n'));
    await world.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('verifies an export and a proof with the trusted keys', async () => {
    const verified = await verify(bundle, '--key', keys);
    expect(verified.output).toMatch(/VERIFIED {4}entries 0 to 21/);
    expect(verified.code).toBe(0);
    await expect(verify(proof, '--key', keys)).resolves.toMatchObject({
      code: 0,
      output: expect.stringContaining('fact fct_07') as string,
    });
  });

  it('does not believe a bundle’s own keys unless told to', async () => {
    await expect(verify(bundle)).resolves.toMatchObject({ code: 1, output: expect.stringMatching(/key\.untrusted[\s\S]*--key/) as string });
    await expect(verify(bundle, '--trust-bundle-key')).resolves.toMatchObject({
      code: 0,
      output: expect.stringContaining('WARNING') as string,
    });
    await expect(verify(bundle, '--key', keys, '--origin', 'another.log')).resolves.toMatchObject({ code: 1 });
  });

  it('shows what whoever made the bundle wrote, and lets none of it steer the terminal', async () => {
    const { output } = await verify(bundle, '--key', keys);
    expect(output).toMatch(/requested by acc-1\S* /);
    expect(output).not.toMatch(/[^\n\P{Control}]/u);
  });

  it('names the entry whose byte was flipped, in its last line', async () => {
    const changed = readFileSync(bundle);
    const at = changed.indexOf('test.happened', changed.indexOf('"index":"4"'));
    changed[at]! ^= 1;
    const tampered = path.join(folder, 'tampered.tar');
    writeFileSync(tampered, changed);
    const { code, output } = await verify(tampered, '--key', keys);
    expect(code).toBe(1);
    expect(output.trim().split('\n').at(-1)).toMatch(/^entry 5 \(fact fct_06, line 6 of entries\.ndjson\)/);
  });

  it('says what it cannot read', async () => {
    await expect(verify(keys, '--key', keys)).resolves.toMatchObject({
      code: 1,
      output: expect.stringContaining('file.unknown') as string,
    });
    await expect(verify(path.join(folder, 'nothing'))).resolves.toMatchObject({
      code: 1,
      output: expect.stringContaining('file.missing') as string,
    });
  });
});
