import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createEd25519Signer, type Signer, signJws } from '#evidence';
import { ManualClock } from '#kernel';
import { TOKEN_AUDIENCE, TokenVerifier } from './token-verifier.js';

const START = new Date('2026-11-22T08:00:00.000Z');
const newSigner = (kid: string) => createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });
const [first, second] = [newSigner('first'), newSigner('second')];

let folder: string;
let file: string;
let verifier: TokenVerifier;
let written = 0;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tokens-'));
  file = path.join(folder, 'jwks.json');
  verifier = new TokenVerifier(file, 'issuer', new ManualClock(START));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** Each text of the file has a time of its own. */
function publish(text: string): void {
  writeFileSync(file, text);
  utimesSync(file, ++written, written);
}
const jwks = (...signers: readonly Signer[]) => JSON.stringify({ keys: signers.map(({ publicJwk, kid }) => ({ ...publicJwk, kid })) });

/** Looks at the file at most once in a second. */
function passSeconds(seconds: number): void {
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + seconds * 1_000);
}

async function ask(signer: Signer): Promise<string> {
  const iat = START.getTime() / 1_000;
  const claims = { iss: 'issuer', aud: TOKEN_AUDIENCE, sub: 'checkout', scope: 'standing:read', iat, exp: iat + 600 };
  const token = signJws('JWT', claims, signer);
  try {
    return (await verifier.authorize(`Bearer ${token}`, ['standing:read'])).name;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

it('a token whose key was taken away is good no more, although it was verified before', async () => {
  publish(jwks(first));
  expect([await ask(first), await ask(second)]).toEqual(['checkout', 'token.invalid']);
  publish(jwks(second));
  passSeconds(1.1);
  expect([await ask(first), await ask(second)]).toEqual(['token.invalid', 'checkout']);
});

it('keys that are half written or gone leave the ones before in force', async () => {
  publish(jwks(first));
  expect(await ask(first)).toBe('checkout');
  publish('{"keys":[');
  passSeconds(1.1);
  expect(await ask(first)).toBe('checkout');
  rmSync(file);
  passSeconds(2.2);
  expect(await ask(first)).toBe('checkout');
});

it('without any keys nobody is let in, and is told to come again', async () => {
  expect(await ask(first)).toBe('token.keys_missing');
  publish(jwks(first));
  expect(await ask(first)).toBe('checkout');
});
