import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parsePublicJwk, signJws, verifyJws } from '#evidence';
import { parseConfig } from './config.js';
import { createSigner, loadSigner, publicJwks } from './keys.js';

let home: string;
const config = (environment = 'development') => ({
  ...parseConfig({ TALLYSTICK_HOME: home }),
  TALLYSTICK_ENV: environment as 'development',
});
beforeEach(() => void (home = mkdtempSync(path.join(tmpdir(), 'keys-'))));
afterEach(() => rmSync(home, { recursive: true }));

describe('signing keys of the installation', () => {
  it('are made once, kept private, and sign what their public half verifies', async () => {
    const made = createSigner(config(), 'receipt');
    expect(createSigner(config(), 'receipt').kid).toBe(made.kid);
    const loaded = loadSigner(config(), 'receipt');
    expect(statSync(path.join(home, 'keys/receipt.jwk.json')).mode & 0o777).toBe(0o600);
    const key = { ...parsePublicJwk(publicJwks([loaded]).keys[0]), state: 'ACTIVE' as const };
    const verified = await verifyJws(Buffer.from(signJws('t', { a: 1 }, loaded)), 't', () => key);
    expect(verified.value.payload).toEqual({ a: 1 });
  });

  it('publish no private member', () => {
    createSigner(config(), 'internal-issuer');
    const { keys } = JSON.parse(readFileSync(path.join(home, 'keys/internal-issuer.jwks.json'), 'utf8')) as { keys: object[] };
    expect(Object.keys(keys[0]!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });

  it('refuse to start: missing', () => {
    expect(() => loadSigner(config(), 'log')).toThrow(/KEYS_DIR.*no signing key/);
  });

  it('refuse to start: made for development, used in production', () => {
    createSigner(config(), 'log');
    expect(() => loadSigner(config('production'), 'log')).toThrow(/KEYS_DIR.*development key/);
    expect(() => createSigner(config('production'), 'export')).toThrow(/KEYS_DIR/);
  });

  it('refuse to start: readable by everybody', () => {
    createSigner(config(), 'log');
    chmodSync(path.join(home, 'keys/log.jwk.json'), 0o644);
    expect(() => loadSigner(config(), 'log')).toThrow(/chmod 600/);
  });
});
