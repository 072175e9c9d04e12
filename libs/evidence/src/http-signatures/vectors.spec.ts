import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes.js';
import type { VerificationKey } from '../jose/keys.js';
import { checkAside, checkWithNode, createHttpSigner } from './algorithms.js';
import type { HttpMessage } from './http-message.js';
import { signatureBase } from './signature-text.js';
import { formatInnerList, type InnerList, parseDictionary } from './structured-fields.js';
import { checkWithWeb } from './web-check.js';

/** The public keys of RFC 9421, appendix B.1. */
const RSA_PSS = `MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB`;
const P256 = 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==';
const ED25519 = 'MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=';

const registered = (kid: string, alg: VerificationKey['alg'], spki: string): VerificationKey => {
  const jwk = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' }).export({ format: 'jwk' });
  return { kid, alg, jwk, state: 'ACTIVE' };
};
const KEYS = [
  registered('test-key-rsa-pss', 'PS256', RSA_PSS),
  registered('test-key-ecc-p256', 'ES256', P256),
  registered('test-key-ed25519', 'EdDSA', ED25519),
];

const REQUEST_DIGEST = 'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:';
const REQUEST: HttpMessage = {
  method: 'POST',
  targetUri: 'https://example.com/foo?param=Value&Pet=dog',
  headers: {
    host: 'example.com',
    date: 'Tue, 20 Apr 2021 02:07:55 GMT',
    'content-type': 'application/json',
    'content-digest': REQUEST_DIGEST,
    'content-length': '18',
  },
};
const RESPONSE: HttpMessage = {
  status: 200,
  headers: {
    date: 'Tue, 20 Apr 2021 02:07:56 GMT',
    'content-type': 'application/json',
    'content-digest': 'sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:',
    'content-length': '23',
  },
};
const ANSWER_TO_REQUEST: HttpMessage = {
  status: 503,
  headers: {
    date: 'Tue, 20 Apr 2021 02:07:56 GMT',
    'content-type': 'application/json',
    'content-length': '62',
    'content-digest': 'sha-512=:0Y6iCBzGg5rZtoXS95Ijz03mslf6KAMCloESHObfwnHJDbkkWWQz6PhhU9kxsTbARtY2PTBOzq24uJFpHsMuAg==:',
  },
  request: REQUEST as Extract<HttpMessage, { method: string }>,
};

/** RFC 9421: appendix B.2.1 to B.2.4 and B.2.6, and the answer bound to its request of section 2.4. */
const VECTORS: readonly [where: string, message: HttpMessage, input: string, signature: string][] = [
  [
    'B.2.1, minimal, rsa-pss-sha512',
    REQUEST,
    '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
    'd2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==',
  ],
  [
    'B.2.2, selective, rsa-pss-sha512',
    REQUEST,
    '("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"',
    'LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==',
  ],
  [
    'B.2.3, full, rsa-pss-sha512',
    REQUEST,
    '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"',
    'bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==',
  ],
  [
    'B.2.4, a response, ecdsa-p256-sha256',
    RESPONSE,
    '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
    'wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==',
  ],
  [
    'B.2.6, ed25519',
    REQUEST,
    '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
  ],
  [
    '2.4, an answer that covers its request, ecdsa-p256-sha256',
    ANSWER_TO_REQUEST,
    '("@status" "content-digest" "content-type" "@authority";req "@method";req "@path";req "content-digest";req);created=1618884479;keyid="test-key-ecc-p256"',
    'dMT/A/76ehrdBTD/2Xx8QuKV6FoyzEP/I9hdzKN8LQJLNgzU4W767HK05rx1i8meNQQgQPgQp8wq2ive3tV5Ag==',
  ],
];

describe('RFC 9421', () => {
  it.each(VECTORS)('%s', async (_where, message, text, signature) => {
    const input = parseDictionary(`sig=${text}`, 'signature-input').get('sig') as InnerList;
    expect(formatInnerList(input)).toBe(text);
    const key = KEYS.find(({ kid }) => kid === input.params.get('keyid'))!;
    const base = signatureBase(input, message);
    for (const check of [checkWithNode, checkAside, checkWithWeb]) {
      expect(await check(key, utf8.encode(base), Buffer.from(signature, 'base64'))).toBe(true);
      expect(await check(key, utf8.encode(base.replace('created=1', 'created=2')), Buffer.from(signature, 'base64'))).toBe(false);
    }
  });

  it('section 2.5: the base of a request, letter by letter', () => {
    const input = parseDictionary(
      'sig1=("@method" "@authority" "@path" "content-digest" "content-length" "content-type");created=1618884473;keyid="test-key-rsa-pss"',
      'signature-input',
    ).get('sig1') as InnerList;
    expect(signatureBase(input, REQUEST).split('\n')).toEqual([
      '"@method": POST',
      '"@authority": example.com',
      '"@path": /foo',
      `"content-digest": ${REQUEST_DIGEST}`,
      '"content-length": 18',
      '"content-type": application/json',
      '"@signature-params": ("@method" "@authority" "@path" "content-digest" "content-length" "content-type");created=1618884473;keyid="test-key-rsa-pss"',
    ]);
  });
});

describe('signatures of our own', () => {
  it.each([
    ['ES256', 'ec', { namedCurve: 'P-256' }],
    ['EdDSA', 'ed25519', {}],
    ['PS256', 'rsa', { modulusLength: 2048 }],
  ] as const)('%s verifies under node and WebCrypto, and under no other key', async (alg, type, options) => {
    const { privateKey, publicKey } = generateKeyPairSync(type as 'rsa', options as { modulusLength: number });
    const signer = createHttpSigner({ kid: 'k', alg, privateKey });
    const key: VerificationKey = { kid: 'k', alg, jwk: publicKey.export({ format: 'jwk' }), state: 'ACTIVE' };
    const other = KEYS.find((candidate) => candidate.alg === alg)!;
    const bytes = utf8.encode('"@method": POST');
    const signature = signer.sign(bytes);
    for (const check of [checkWithNode, checkAside, checkWithWeb]) {
      expect(await check(key, bytes, signature)).toBe(true);
      expect(await check(other, bytes, signature)).toBe(false);
    }
  });

  it('RSA below 2048 bits is no key, under node and WebCrypto', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const weak: VerificationKey = { kid: 'weak', alg: 'PS256', jwk: publicKey.export({ format: 'jwk' }), state: 'ACTIVE' };
    for (const check of [checkWithNode, checkAside, checkWithWeb])
      expect(await check(weak, utf8.encode('x'), new Uint8Array(128))).toBeUndefined();
  });
});
