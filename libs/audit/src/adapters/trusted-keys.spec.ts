import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { encodeBase64Url, nodeCrypto, parseVkeys, type Signer, vkeyOf } from '#evidence';
import { announceNextSigner, createSigner, parseConfig, switchToNextSigner } from '#platform';
import { TrustedKeys, trustedKeysFile } from './trusted-keys.js';

const home = mkdtempSync(path.join(tmpdir(), 'trusted-'));
afterAll(() => rmSync(home, { recursive: true }));

it('the file of trusted keys holds each receipt key, announced, current and replaced, while the worker runs on', async () => {
  const config = parseConfig({ TALLYSTICK_HOME: home });
  const [log, , first] = (['log', 'export', 'receipt'] as const).map((name) => createSigner(config, name)) as [Signer, Signer, Signer];
  const keys = new TrustedKeys(config, { vkey: () => vkeyOf(nodeCrypto, 'log.example/1', log) });
  const receipts = async () => {
    await keys.keep();
    const trusted = await parseVkeys(nodeCrypto, readFileSync(trustedKeysFile(config), 'utf8'));
    expect(trusted.map(({ name }) => name).slice(0, 2)).toEqual(['log.example/1', 'log.example/1/export']);
    return trusted.filter(({ name }) => name === 'log.example/1/receipt').map(({ publicKey }) => encodeBase64Url(publicKey));
  };
  const xOf = ({ publicJwk }: Signer) => publicJwk['x'];
  expect(await receipts()).toEqual([xOf(first)]);
  const second = announceNextSigner(config, 'receipt');
  expect(await receipts()).toEqual([xOf(first), xOf(second)]);
  switchToNextSigner(config, 'receipt');
  expect(await receipts()).toEqual([xOf(second), xOf(first)]);
  rmSync(trustedKeysFile(config));
  expect(await receipts()).toEqual([xOf(second), xOf(first)]);
});
