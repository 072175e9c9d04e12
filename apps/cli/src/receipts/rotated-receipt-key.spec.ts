import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createEd25519Signer, formatVkey, nodeCrypto, signJws, vkeyOf } from '#evidence';
import { register } from '../commands/verify.js';

const newSigner = (kid: string) => createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-verify-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

it('takes a receipt that was signed before the receipt key was rotated', async () => {
  const [now, before, never] = ['now', 'before', 'never'].map(newSigner) as [
    ReturnType<typeof newSigner>,
    ...ReturnType<typeof newSigner>[],
  ];
  const keys = await Promise.all([now, before!].map((signer) => vkeyOf(nodeCrypto, 'log.test/receipt', signer)));
  writeFileSync(path.join(folder, 'vkey'), keys.map(formatVkey).join('\n'));
  const told = vi.spyOn(console, 'log').mockReturnValue();
  const refused = vi.spyOn(console, 'error').mockReturnValue();
  const verify = async (signer: typeof now) => {
    const claims = { sub: 'a-record', fact: 'fct_3_1', payload_digest: 'AAAA', iat: 1_800_000_000 };
    writeFileSync(path.join(folder, 'receipt'), signJws('record-receipt+jwt', claims, signer));
    const program = new Command();
    register(program);
    await program.parseAsync(['verify', path.join(folder, 'receipt'), '--key', path.join(folder, 'vkey')], { from: 'user' });
  };
  await verify(before!);
  await verify(now);
  expect(told.mock.calls.flat().filter((line) => String(line).startsWith('receipt     record a-record'))).toHaveLength(2);
  await verify(never!);
  expect(refused.mock.calls.flat()).toEqual([expect.stringContaining('signature.invalid')]);
});
