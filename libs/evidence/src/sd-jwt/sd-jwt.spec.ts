import { generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { digest, generateSalt } from '@sd-jwt/crypto-nodejs';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { encodeBase64Url } from '../jose/base64url.js';
import { createEd25519Signer, signJws } from '../jose/sign-jws.js';
import type { JsonObject } from '../jose/strict-json.js';
import { concealClaims, joinSdJwt } from './conceal-claims.js';
import { encodeDisclosure } from './disclosure.js';
import { revealClaims } from './reveal-claims.js';
import { KEY_BINDING_TYP, keyBindingClaims, verifySdJwt } from './sd-jwt.js';
import { encodeStatusList, STATUS_LIST_TYP, statusAt } from './status-list.js';

const TYP = 'dc+sd-jwt';
const pair = generateKeyPairSync('ed25519');
const issuer = createEd25519Signer({ ...pair.privateKey.export({ format: 'jwk' }), kid: 'issuer' });
const holder = createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'holder' });
const findKey = (kid: string) =>
  kid === 'issuer' ? { kid, alg: 'EdDSA' as const, jwk: issuer.publicJwk, state: 'ACTIVE' as const } : undefined;
const now = Math.floor(Date.now() / 1_000);
const OPEN = { iss: 'https://gateway.example', vct: 'urn:example:rating', iat: now - 10, exp: now + 3_600, cnf: { jwk: holder.publicJwk } };
const CLAIMS = [
  ['score', 712],
  ['band', 'EXCELLENT'],
  ['restrictions', [{ step: 'WARN' }]],
] as const;

function issue(open: JsonObject = OPEN as unknown as JsonObject) {
  const { payload, disclosures } = concealClaims({ open, claims: CLAIMS, digests: 8, saltFor: () => randomBytes(16) });
  return { payload, disclosures, text: joinSdJwt(signJws(TYP, payload, issuer), disclosures) };
}

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};

describe('an SD-JWT', () => {
  it('shows the claims whose disclosures it carries and hides how many there are', async () => {
    const { payload, disclosures, text } = issue();
    expect((payload['_sd'] as string[]).length).toBe(8);
    const { value } = await verifySdJwt(text, TYP, findKey);
    expect(value.claims).toMatchObject({ score: 712, band: 'EXCELLENT', restrictions: [{ step: 'WARN' }] });
    const less = joinSdJwt(text.split('~')[0]!, [disclosures[1]!]);
    const { claims } = (await verifySdJwt(less, TYP, findKey)).value;
    expect([claims['band'], 'score' in claims, '_sd' in claims]).toEqual(['EXCELLENT', false, false]);
  });

  const foreign = encodeDisclosure('salt-of-a-stranger', 'score', 950);
  const rows: [what: string, change: (parts: string[]) => string[], code: string][] = [
    ['a disclosure that was never signed', ([jwt, ...rest]) => [jwt!, foreign, ...rest], 'signature.malformed'],
    ['a disclosure twice', ([jwt, first, ...rest]) => [jwt!, first!, first!, ...rest], 'signature.malformed'],
    ['a disclosure with a padded spelling', ([jwt, first, ...rest]) => [jwt!, `${first!}=`, ...rest], 'signature.malformed'],
    ['no tilde at the end', (parts) => parts.slice(0, -1).slice(0, 1), 'signature.malformed'],
    ['a changed payload', ([jwt, ...rest]) => [jwt!.replace(/\.(.)/, (_, c: string) => `.${c === 'e' ? 'f' : 'e'}`), ...rest], 'signature'],
  ];
  it.each(rows)('is refused with %s', async (_what, change, code) => {
    const text = change(issue().text.split('~')).join('~');
    expect(await verifySdJwt(text, TYP, findKey).catch((error: Refusal) => error.code)).toContain(code);
  });

  const d = (name: string, value: unknown) => encodeDisclosure('s', name, value as never);
  const digestOf = (text: string) => Buffer.from(digest(text, 'sha-256')).toString('base64url');
  const hostile: [what: string, payload: JsonObject, disclosures: string[]][] = [
    ['a claim that is there already', { a: 1, _sd: [digestOf(d('a', 2))] }, [d('a', 2)]],
    ['a digest twice', { _sd: [digestOf(d('a', 1)), digestOf(d('a', 1))] }, [d('a', 1)]],
    [
      'a digest twice, once inside a disclosure',
      { _sd: [digestOf(d('b', 1)), digestOf(d('a', { _sd: [digestOf(d('b', 1))] }))] },
      [d('a', { _sd: [digestOf(d('b', 1))] })],
    ],
    ['a claim called _sd', { _sd: [digestOf(d('_sd', []))] }, [d('_sd', [])]],
    ['a claim as an element', { list: [{ '...': digestOf(d('a', 1)) }] }, [d('a', 1)]],
    ['another hash', { _sd_alg: 'md5', _sd: [] }, []],
    ['_sd that is no list', { _sd: 'x' }, []],
    ['... outside an array', { '...': 'x' }, []],
  ];
  it.each(hostile)('refuses %s, also where the issuer signed it', (_what, payload, disclosures) => {
    expect(codeOf(() => revealClaims(payload, disclosures))).toBe('signature.malformed');
  });
});

describe('beside the reference library', () => {
  const lists = new Map<string, string>();
  const verifier = (data: string, signature: string) =>
    Promise.resolve(verify(null, Buffer.from(data), pair.publicKey, Buffer.from(signature, 'base64url')));
  const library = new SDJwtVcInstance({
    hasher: digest,
    hashAlg: 'sha-256',
    saltGenerator: generateSalt,
    signAlg: 'EdDSA',
    verifier,
    signer: (data: string) => Promise.resolve(encodeBase64Url(issuer.sign(Buffer.from(data)))),
    kbVerifier: (data: string, signature: string, { cnf }: { cnf?: { jwk: JsonObject } }) =>
      Promise.resolve(
        cnf !== undefined &&
          verify(null, Buffer.from(data), { key: cnf.jwk as never, format: 'jwk' } as never, Buffer.from(signature, 'base64url')),
      ),
    statusListFetcher: (uri: string) => Promise.resolve(lists.get(uri)!),
    statusVerifier: verifier,
  } as ConstructorParameters<typeof SDJwtVcInstance>[0]);

  it('what we issue, it verifies, key binding included', async () => {
    const { text } = issue();
    const bound = text + signJws(KEY_BINDING_TYP, keyBindingClaims(text, { audience: 'bank-c', nonce: 'n-1' }, new Date()), holder);
    const { payload, kb } = await library.verify(bound, { keyBindingNonce: 'n-1' });
    expect(payload).toMatchObject({ score: 712, band: 'EXCELLENT', vct: 'urn:example:rating' });
    expect(kb?.payload.aud).toBe('bank-c');
  });

  it('what it issues, we verify', async () => {
    const text = await library.issue({ ...OPEN, score: 650, band: 'TRUSTED' } as never, { _sd: ['score', 'band'], _sd_decoy: 3 } as never, {
      header: { kid: 'issuer' },
    });
    expect((await verifySdJwt(text, TYP, findKey)).value.claims).toMatchObject({ score: 650, band: 'TRUSTED' });
  });

  it('reads our status lists as we do', async () => {
    const uri = 'https://gateway.example/v1/status-lists/1';
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.constantFrom('VALID' as const, 'INVALID' as const, 'SUSPENDED' as const), async (idx, status) => {
        const list = encodeStatusList(1_000, [
          [idx, status],
          [(idx + 1) % 1_000, 'INVALID'],
        ]);
        lists.set(uri, signJws(STATUS_LIST_TYP, { sub: uri, iat: now, exp: now + 60, status_list: list }, issuer));
        const { text } = issue({ ...OPEN, status: { status_list: { idx, uri } } } as unknown as JsonObject);
        const accepted = await library.verify(text).then(
          () => true,
          () => false,
        );
        expect([statusAt(list, idx), accepted]).toEqual([status, status === 'VALID']);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a status list', () => {
  it.each([
    [undefined, 0],
    [{ bits: 2, lst: 'AAAA' }, 0],
    [encodeStatusList(8, []), 8],
    [encodeStatusList(8, []), -1],
    [encodeStatusList(8, []), 0.5],
  ])('%# is refused where it has no such entry', (list, index) => {
    expect(codeOf(() => statusAt(list as never, index))).toBe('status_list.malformed');
  });

  it('does not unpack without end', () => {
    expect(codeOf(() => statusAt(encodeStatusList(64 * 2 ** 20, []), 0))).toBe('status_list.malformed');
  });
});
