import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { JsonWebKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalize } from '#evidence';
import { Refusal } from '#kernel';
import { isSignatureAlgorithm, PUBLIC_MEMBERS } from '../../../libs/evidence/src/jose/algorithm-names.js';
import type { VerificationKey } from '../../../libs/evidence/src/jose/keys.js';
import { verifyCompact } from '../../../libs/evidence/src/jose/verify-jws.js';

/** Vectors by others (Wycheproof, RFC 8785), read where they lie; not copied. */
const folder = new URL('../../../../shared/data/vectors/', import.meta.url);
const absent = !existsSync(folder);
if (absent) console.warn('skipped: vectors by others are not at ../shared/data/vectors');

interface Vector {
  tcId: number;
  comment: string;
  jws: string | object;
  result: 'valid' | 'invalid';
}
interface Group {
  comment: string;
  private?: JsonWebKey & { kid?: string };
  public?: JsonWebKey & { kid?: string };
  tests: Vector[];
}

/**
 * Why a valid vector is not accepted, if so. Besides HMAC and algorithms that are not ours there is one exclusion:
 * Figure 20 of RFC 7520 is PS384 under a key that the file labels PS256.
 */
function refusedOnPurpose(alg: unknown): boolean {
  return !isSignatureAlgorithm(alg);
}

function headerAlg(jws: string): unknown {
  try {
    return (JSON.parse(Buffer.from(jws.split('.')[0]!, 'base64url').toString()) as { alg: unknown }).alg;
  } catch {
    return undefined;
  }
}

/** The group's key as somebody might register it: under its own algorithm or, where it names none, the one its type is for. */
function registered(group: Group): VerificationKey | undefined {
  const jwk = (group.public ?? group.private)!;
  const guess = { RSA: 'PS256', EC: 'ES256', OKP: 'EdDSA' }[jwk.kty ?? ''];
  const alg = jwk['alg'] ?? guess;
  if (!isSignatureAlgorithm(alg)) return undefined;
  const members = [...PUBLIC_MEMBERS[alg], 'use', 'key_ops'].filter((name) => jwk[name] !== undefined);
  return { kid: jwk.kid ?? '', alg, jwk: Object.fromEntries(members.map((name) => [name, jwk[name]])), state: 'ACTIVE' };
}

async function answer(jws: string, key: VerificationKey | undefined): Promise<string> {
  try {
    await verifyCompact(Buffer.from(jws), undefined, (kid) => (kid === key?.kid ? key : undefined));
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe.skipIf(absent)('Wycheproof: JSON Web Signature', () => {
  const { testGroups } = absent
    ? { testGroups: [] }
    : (JSON.parse(readFileSync(new URL('wycheproof/json_web_signature_test.json', folder), 'utf8')) as { testGroups: Group[] });
  const all = testGroups.flatMap((group) => group.tests.map((test) => ({ ...test, key: registered(group), group: group.comment })));
  const text = (jws: string | object) => (typeof jws === 'string' ? jws : JSON.stringify(jws));

  it('no invalid vector is accepted', async () => {
    const invalid = all.filter(({ result }) => result === 'invalid');
    expect(invalid.length).toBeGreaterThan(300);
    for (const { tcId, jws, key } of invalid) expect([tcId, await answer(text(jws), key)]).not.toEqual([tcId, 'accepted']);
  });

  it('every valid vector of our algorithms is accepted', async () => {
    const ours = all.filter(({ result, jws }) => result === 'valid' && !refusedOnPurpose(headerAlg(text(jws))));
    expect(ours.map(({ tcId }) => tcId)).toEqual([18, 272, 273, 274, 275, 287, 288, 378]);
    for (const { tcId, jws, key } of ours) expect([tcId, await answer(text(jws), key)]).toEqual([tcId, 'accepted']);
  });

  it('HMAC and every other algorithm is refused, valid or not', async () => {
    const others = all.filter(({ jws }) => refusedOnPurpose(headerAlg(text(jws))));
    expect(others.filter(({ jws }) => String(headerAlg(text(jws))).startsWith('HS')).length).toBeGreaterThan(20);
    for (const { tcId, jws, key } of others) {
      expect([tcId, await answer(text(jws), key)]).toEqual([
        tcId,
        expect.stringMatching(/algorithm_refused|malformed|header_refused|missing/),
      ]);
    }
  });
});

describe.skipIf(absent)('RFC 8785: canonical JSON', () => {
  const names = absent ? [] : readdirSync(new URL('jcs/input/', folder));

  it.each(names)('%s', (name) => {
    const read = (kind: string) => readFileSync(new URL(`jcs/${kind}/${name}`, folder), 'utf8');
    expect(canonicalize(JSON.parse(read('input')))).toBe(read('output').trimEnd());
  });
});
