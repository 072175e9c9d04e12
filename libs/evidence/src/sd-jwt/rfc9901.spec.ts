import { describe, expect, it } from 'vitest';
import type { Refusal } from '#kernel';
import { checkSignature, importPublicKey } from '../jose/algorithms.js';
import { parseCompactJws } from '../jose/compact-jws.js';
import { parseJsonStrict } from '../jose/strict-json.js';
import * as rfc from '../testing/rfc9901-vectors.js';
import { digestOfDisclosure, parseDisclosure } from './disclosure.js';
import { revealClaims } from './reveal-claims.js';
import { splitSdJwt, verifyKeyBinding } from './sd-jwt.js';

const payloadOf = (text: string) => parseJsonStrict(parseCompactJws(Buffer.from(splitSdJwt(text).jwt)).payload);
const reveal = (text: string) => revealClaims(payloadOf(text), splitSdJwt(text).disclosures);
const ADDRESS = { street_address: '123 Main St', locality: 'Anytown', region: 'Anystate', country: 'US' };

describe('the examples of RFC 9901', () => {
  it.each([
    [rfc.GIVEN_NAME, 'jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4', '2GLC42sKQveCfGfryNRN9w', 'given_name', 'John'],
    [rfc.FAMILY_NAME, 'TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo', 'eluV5Og3gSNII8EYnsxA_A', 'family_name', 'Doe'],
    [rfc.ADDRESS, 'XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE', 'AJx-095VPrpTtN4QMOqROA', 'address', ADDRESS],
    [rfc.NATIONALITY_US, 'pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo', 'lklxF5jMYlGTPUovMNIvCA', undefined, 'US'],
  ])('§5.1: disclosure %# has the printed digest and content', (text, digest, salt, name, value) => {
    expect(digestOfDisclosure(text)).toBe(digest);
    expect(parseDisclosure(text)).toEqual({ salt, value, ...(name === undefined ? {} : { name }) });
  });

  it('§5.1: issued, everything is shown', () => {
    expect(reveal(rfc.ISSUED)).toMatchObject({
      iss: 'https://issuer.example.com',
      sub: 'user_42',
      given_name: 'John',
      family_name: 'Doe',
      email: 'johndoe@example.com',
      phone_number_verified: true,
      address: ADDRESS,
      birthdate: '1940-01-01',
      updated_at: 1570000000,
      nationalities: ['US', 'DE'],
    });
  });

  it('§5.2: presented, what the holder keeps is not there, and no digest is left', () => {
    const { cnf, ...shown } = reveal(rfc.PRESENTED);
    expect(cnf).toEqual({ jwk: rfc.HOLDER_KEY });
    expect(shown).toEqual({
      iss: 'https://issuer.example.com',
      iat: 1683000000,
      exp: 1883000000,
      sub: 'user_42',
      nationalities: ['US'],
      family_name: 'Doe',
      address: ADDRESS,
      given_name: 'John',
    });
  });

  it('§5.1: the issuer signed it', () => {
    const { signingInput, signature } = parseCompactJws(Buffer.from(splitSdJwt(rfc.ISSUED).jwt));
    expect(checkSignature('ES256', signingInput, importPublicKey(rfc.ISSUER_KEY, 'ES256')!, signature)).toBe(true);
  });

  const bound = { audience: 'https://verifier.example.org', nonce: '1234567890' };

  it('§5.2: the holder bound it to the verifier', async () => {
    const at = await verifyKeyBinding(splitSdJwt(rfc.PRESENTED), rfc.HOLDER_KEY, bound);
    expect(at).toEqual(new Date(1748537244_000));
  });

  const oneLess = rfc.PRESENTED.replace(`${rfc.GIVEN_NAME}~`, '');
  it.each([
    ['another audience', rfc.PRESENTED, rfc.HOLDER_KEY, { ...bound, audience: 'https://other.example' }],
    ['another nonce', rfc.PRESENTED, rfc.HOLDER_KEY, { ...bound, nonce: '1' }],
    ['another key', rfc.PRESENTED, rfc.ISSUER_KEY, bound],
    ['one disclosure less than was bound', oneLess, rfc.HOLDER_KEY, bound],
    ['no key binding', rfc.ISSUED, rfc.HOLDER_KEY, bound],
  ])('refuses a key binding with %s', async (_what, text, key, expected) => {
    const code = await verifyKeyBinding(splitSdJwt(text), key, expected).catch((error: unknown) => (error as Refusal).code);
    expect(code).toMatch(/^key_binding\.(invalid|missing)$/);
  });
});
