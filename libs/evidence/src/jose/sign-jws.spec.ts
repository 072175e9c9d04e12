import { generateKeyPairSync } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from '../canonical.js';
import { parsePublicJwk, thumbprint, type VerificationKey } from './keys.js';
import { createEd25519Signer, signJws } from './sign-jws.js';
import { mapVerified } from './verified.js';
import { verifyJws } from './verify-jws.js';

const privateJwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
const signer = createEd25519Signer(privateJwk);
const key: VerificationKey = { ...parsePublicJwk(signer.publicJwk), state: 'ACTIVE' };
const find = (kid: string) => (kid === key.kid ? key : undefined);
const TYP = 'record-receipt+jwt';

describe('signJws', () => {
  it('makes what verifyJws accepts, whatever the payload', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), async (payload) => {
        const verified = await verifyJws(Buffer.from(signJws(TYP, payload, signer)), TYP, find);
        expect(canonicalize(verified.value.payload)).toBe(canonicalize(payload));
        expect(verified.value.header).toEqual({ alg: 'EdDSA', kid: signer.kid, typ: TYP });
      }),
      { numRuns: 50 },
    );
  });

  it('makes what another library accepts', async () => {
    const { payload } = await compactVerify(signJws(TYP, { a: 1 }, signer), await importJWK({ ...signer.publicJwk } as never, 'EdDSA'));
    expect(new TextDecoder().decode(payload)).toBe('{"a":1}');
  });

  it('no single changed byte is accepted', async () => {
    const good = Buffer.from(signJws(TYP, { iss: 'bank-a', score: 712 }, signer));
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bad = Buffer.from(good);
        bad[at]! ^= change;
        await expect(verifyJws(bad, TYP, find)).rejects.toMatchObject({ name: 'Refusal', code: /^signature\./ });
      }),
      { numRuns: 500 },
    );
  });

  it('has the published thumbprint of RFC 8037 appendix A.3 as key id', () => {
    expect(thumbprint({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' })).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });
});

describe('mapVerified', () => {
  it('keeps the bytes as received', async () => {
    const received = Buffer.from(signJws(TYP, { score: 712 }, signer));
    const mapped = mapVerified(await verifyJws(received, TYP, find), ({ payload }) => Number(payload['score']));
    expect(mapped.value).toBe(712);
    expect(mapped.received).toBe(received);
  });
});

describe('parsePublicJwk', () => {
  const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' });

  it.each([
    ['a private key', 'key.private', () => ({ ...privateJwk, kid: 'k', alg: 'EdDSA' })],
    ['an HMAC secret', 'key.private', () => ({ kty: 'oct', k: 'AAAA', kid: 'k', alg: 'HS256' })],
    ['no kid', 'key.malformed', () => ({ ...ec('P-256'), alg: 'ES256' })],
    ['not an object', 'key.malformed', () => 'key'],
    ['another algorithm', 'key.algorithm_refused', () => ({ ...rsa(2048), kid: 'k', alg: 'RS256' })],
    ['RSA of 1024 bits', 'key.unsuitable', () => ({ ...rsa(1024), kid: 'k', alg: 'PS256' })],
    ['another curve', 'key.unsuitable', () => ({ ...ec('P-384'), kid: 'k', alg: 'ES256' })],
    ['another type', 'key.unsuitable', () => ({ ...ec('P-256'), kid: 'k', alg: 'PS256' })],
    ['a point off the curve', 'key.unsuitable', () => ({ ...ec('P-256'), x: 'A'.repeat(43), kid: 'k', alg: 'ES256' })],
    ['a key for encryption', 'key.unsuitable', () => ({ ...ec('P-256'), use: 'enc', kid: 'k', alg: 'ES256' })],
  ])('refuses %s as %s', (_what, code, make) => {
    expect(() => parsePublicJwk(make())).toThrow(expect.objectContaining({ code }));
  });

  it('keeps only what makes the public key', () => {
    const read = parsePublicJwk({ ...ec('P-256'), kid: 'k', alg: 'ES256', use: 'sig', note: 'x' });
    expect(Object.keys(read.jwk).sort()).toEqual(['crv', 'kty', 'x', 'y']);
  });
});
