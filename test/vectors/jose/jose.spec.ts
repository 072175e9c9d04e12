import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type VerificationKey, verifyJws, verifyJwsWithWeb } from '#evidence';
import { Refusal } from '#kernel';

/** Our corpus: one good case per algorithm, then one change each and the one code it must give (CONTRACT.md §2). */
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
const keys = new Map((read('keys.json') as VerificationKey[]).map((key) => [key.kid, key]));
const { typ, cases } = read('cases.json') as { typ: string; cases: { name: string; code?: string; jws: string }[] };

const KIND: Readonly<Record<string, string>> = { 'signature.malformed': 'malformed', 'signature.header_refused': 'malformed' };

async function answer(jws: string, verify = verifyJws): Promise<Refusal | undefined> {
  try {
    await verify(Buffer.from(jws, 'utf8'), typ, (kid) => keys.get(kid));
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

describe('the corpus of JWS, good and with one change', () => {
  it.each(cases)('$name', async ({ code, jws }) => {
    const refusal = await answer(jws);
    expect(refusal?.code).toBe(code);
    expect((await answer(jws, verifyJwsWithWeb))?.code).toBe(code);
    if (code !== undefined) expect(refusal?.kind).toBe(KIND[code] ?? 'unauthenticated');
  });

  it('covers every code that a JWS can be refused with', () => {
    const codes = new Set(cases.map(({ code }) => code));
    for (const name of [
      'missing',
      'invalid',
      'key_unknown',
      'key_retired',
      'key_compromised',
      'algorithm_refused',
      'header_refused',
      'malformed',
    ]) {
      expect(codes).toContain(`signature.${name}`);
    }
  });

  it('holds no private key', () => {
    for (const key of keys.values()) expect(key.jwk).not.toHaveProperty('d');
  });
});
