import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parsePublicJwk, signJws, verifyJws } from '#evidence';
import { type Config, parseConfig } from './config.js';
import { announceNextSigner, createSigner, loadSigner, publicJwks, type PublicJwks, readPublicKeys, switchToNextSigner } from './keys.js';
import { createLogger } from './logging.js';
import { OwnKeys, publicHalves } from './own-keys.js';

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

describe('a draft that a killed write left', () => {
  const longAgo = new Date(Date.now() - 120_000);
  const leave = (name: string, at = longAgo) => {
    const file = path.join(home, 'keys', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '{"d":"half a ke', { mode: 0o600 });
    utimesSync(file, at, at);
    return name;
  };
  const left = (names: readonly string[]) => readdirSync(path.join(home, 'keys')).filter((name) => names.includes(name));

  it('is removed before the next is written, of whichever key', () => {
    const names = ['receipt.jwk.json', 'log.jwk.json', 'receipt.next.jwk.json', 'export.past.jwks.json', 'response.jwks.json'];
    const drafts = names.map((name) => leave(`${name}.${randomUUID()}`));
    createSigner(config(), 'receipt');
    expect(left(drafts)).toEqual([]);
    const another = leave(`receipt.jwk.json.${randomUUID()}`);
    announceNextSigner(config(), 'receipt');
    expect(left([another])).toEqual([]);
  });

  it('stays where another process may be writing it, and what is no draft stays whatever its age', () => {
    const kept = [
      leave(`receipt.jwk.json.${randomUUID()}`, new Date()),
      ...['receipt.jwk.json.bak', `operator.jwk.json.${randomUUID()}`, `${randomUUID()}`, `log.jwk.json.${randomUUID()}.old`].map((name) =>
        leave(name),
      ),
    ];
    createSigner(config(), 'receipt');
    expect(left(kept).sort()).toEqual(kept.sort());
  });
});

describe('a key that another replaced', () => {
  const lives = () => {
    const first = createSigner(config(), 'receipt');
    const keys = new OwnKeys(config() as Config, ['receipt'], createLogger('test', 'silent'));
    const published = () => (JSON.parse(readFileSync(path.join(home, 'keys/receipt.jwks.json'), 'utf8')) as PublicJwks).keys;
    const start = performance.now();
    const kidAfter = (ms: number) => {
      vi.spyOn(performance, 'now').mockImplementation(() => start + ms);
      return keys.read().receipt.current.kid;
    };
    return { first, keys, kidAfter, kids: () => published().map(({ kid }) => kid), halves: () => publicHalves(keys.read().receipt) };
  };
  afterEach(() => void vi.restoreAllMocks());

  it('stays public for what it signed, beside the one that is announced', () => {
    const { first, kids } = lives();
    const second = announceNextSigner(config(), 'receipt');
    expect(kids()).toEqual([first.kid, second.kid]);
    switchToNextSigner(config(), 'receipt');
    expect(kids()).toEqual([second.kid, first.kid]);
    createSigner(config(), 'receipt');
    expect(kids()).toEqual([second.kid, first.kid]);
    expect(readPublicKeys(config(), 'receipt').map(({ kid }) => kid)).toEqual([second.kid, first.kid]);
    expect(readPublicKeys(config(), 'log')).toEqual([]);
  });

  it('is public no more where it was in wrong hands', () => {
    const { kids } = lives();
    const second = announceNextSigner(config(), 'receipt');
    switchToNextSigner(config(), 'receipt', true);
    expect(kids()).toEqual([second.kid]);
  });

  it('signs no more in a process that runs on, a second later at most', () => {
    const { first, keys, halves } = lives();
    const second = announceNextSigner(config(), 'receipt');
    switchToNextSigner(config(), 'receipt');
    expect(keys.read().receipt.current.kid).toBe(first.kid);
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 1_001);
    expect(keys.read().receipt.current.kid).toBe(second.kid);
    expect(halves().map(({ kid }) => kid)).toEqual([second.kid, first.kid]);
    rmSync(path.join(home, 'keys/receipt.jwk.json'));
    vi.spyOn(performance, 'now').mockImplementation(() => now + 3_000);
    expect(keys.read().receipt.current.kid).toBe(second.kid);
  });

  it('is replaced as soon as it can be read, although its file did not change again', () => {
    const { first, kidAfter } = lives();
    const second = announceNextSigner(config(), 'receipt');
    switchToNextSigner(config(), 'receipt');
    chmodSync(path.join(home, 'keys/receipt.jwk.json'), 0o644);
    expect(kidAfter(1_500)).toBe(first.kid);
    chmodSync(path.join(home, 'keys/receipt.jwk.json'), 0o600);
    expect(kidAfter(11_000)).toBe(first.kid);
    expect(kidAfter(13_000)).toBe(second.kid);
  });

  it('stays in force where nobody can look, and is replaced when one can', () => {
    const { first, kidAfter } = lives();
    const second = announceNextSigner(config(), 'receipt');
    switchToNextSigner(config(), 'receipt');
    renameSync(path.join(home, 'keys'), path.join(home, 'away'));
    symlinkSync('keys', path.join(home, 'keys'));
    expect(kidAfter(1_500)).toBe(first.kid);
    rmSync(path.join(home, 'keys'));
    renameSync(path.join(home, 'away'), path.join(home, 'keys'));
    expect(kidAfter(13_000)).toBe(second.kid);
  });
});
