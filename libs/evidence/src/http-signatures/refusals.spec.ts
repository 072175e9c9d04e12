import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import type { VerificationKey } from '../jose/keys.js';
import { checkWithNode, createHttpSigner } from './algorithms.js';
import { checkContentDigest, type ContentDigest, formatContentDigest, parseContentDigest } from './content-digest.js';
import { explainSteps } from './explain-signature.js';
import type { HttpMessage, HttpRequestMessage, HttpResponseMessage } from './http-message.js';
import { BOUND_RESPONSE_PROFILE, REQUEST_PROFILE, RESPONSE_PROFILE, type SignatureProfile } from './profile.js';
import { signRequest, signResponse } from './sign-message.js';
import { formatInnerList, type InnerList, parseDictionary } from './structured-fields.js';
import { verifyHttpSignature } from './verify-signature.js';

const AT = new Date('2026-11-22T01:00:00.500Z');
const NOW = Math.floor(AT.getTime() / 1000);
const BODY = Buffer.from('{"hello":"world"}');
const sha256 = (bytes: Uint8Array): ContentDigest => new Map([['sha-256', createHash('sha256').update(bytes).digest()]]);

function pair(kid: string, alg: VerificationKey['alg'] = 'EdDSA', state: VerificationKey['state'] = 'ACTIVE') {
  const { privateKey, publicKey } = alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { signer: createHttpSigner({ kid, alg, privateKey }), key: { kid, alg, state, jwk: publicKey.export({ format: 'jwk' }) } };
}
const pairs = {
  good: pair('good'),
  ec: pair('ec', 'ES256'),
  ready: pair('ready', 'EdDSA', 'READY'),
  retired: pair('retired', 'EdDSA', 'RETIRED'),
  compromised: pair('compromised', 'EdDSA', 'COMPROMISED'),
  mislabelled: { ...pair('mislabelled'), key: { ...pair('mislabelled').key, alg: 'ES256' as const } },
};
const findKey = (kid: string) => Object.values(pairs).find(({ key }) => key.kid === kid)?.key;

const bare: HttpRequestMessage = { method: 'POST', targetUri: 'https://bank.example/v1/records?a=1', headers: {} };
function signed({ signer = pairs.good.signer, at = AT } = {}): HttpRequestMessage {
  return { ...bare, headers: { ...signRequest(bare, sha256(BODY), signer, { at, nonce: 'nonce-12345678' }) } };
}
const good = signed();
const input = String(good.headers['signature-input']);
const withInput = (from: string | RegExp, to: string): HttpRequestMessage => withFields({ 'signature-input': input.replace(from, to) });
const withFields = (headers: HttpRequestMessage['headers']): HttpRequestMessage => ({ ...good, headers: { ...good.headers, ...headers } });

async function codeOf(message: HttpMessage, profile: SignatureProfile = REQUEST_PROFILE): Promise<string> {
  try {
    await verifyHttpSignature(message, profile, { findKey, check: checkWithNode, at: AT });
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const ago = (seconds: number) => signed({ at: new Date(AT.getTime() - seconds * 1000) });
/** One good request, one change each, one code. */
const CASES: readonly [what: string, code: string, message: HttpRequestMessage][] = [
  ['as it is', 'accepted', good],
  ['under a READY key', 'accepted', signed({ signer: pairs.ready.signer })],
  ['with ES256', 'accepted', signed({ signer: pairs.ec.signer })],
  ['just young enough', 'accepted', ago(60)],
  ['just not too far ahead', 'accepted', ago(-10)],
  [
    'beside a signature with another tag',
    'accepted',
    withFields({ 'signature-input': `other=("date");tag="x", ${input}`, signature: `other=:AAAA:, ${String(good.headers['signature'])}` }),
  ],
  ['the field in two lines', 'accepted', withFields({ 'signature-input': ['other=("date")', input] })],
  ['white space around the value', 'accepted', withFields({ 'content-digest': ` ${String(good.headers['content-digest'])}\t` })],

  ['no Signature-Input', 'signature.missing', withFields({ 'signature-input': undefined })],
  ['no Signature', 'signature.missing', withFields({ signature: undefined })],
  ['another tag only', 'signature.missing', withInput('fapi-2-request', 'fapi-2-response')],
  ['no tag', 'signature.missing', withInput(';tag="fapi-2-request"', '')],
  ['the label in one field only', 'signature.missing', withFields({ signature: 'sig2=:AAAA:' })],
  ['an empty signature', 'signature.missing', withFields({ signature: 'sig1=::' })],

  ['@method not covered', 'signature.component_missing', withInput('"@method" ', '')],
  ['@target-uri not covered', 'signature.component_missing', withInput('"@target-uri" ', '')],
  ['content-digest not covered', 'signature.component_missing', withInput(' "content-digest"', '')],
  ['a covered field that is not there', 'signature.component_missing', withInput('"content-digest"', '"content-digest" "x-none"')],
  ['content-digest not sent', 'signature.component_missing', withFields({ 'content-digest': undefined })],
  ['@status of a request', 'signature.component_missing', withInput('"@method"', '"@method" "@status"')],
  ['no created', 'signature.component_missing', withInput(/;created=\d+/, '')],
  ['no keyid', 'signature.component_missing', withInput(';keyid="good"', '')],
  ['no nonce', 'signature.component_missing', withInput(/;nonce="[^"]*"/, '')],

  ['61 s old', 'signature.expired', ago(61)],
  ['11 s ahead', 'signature.expired', ago(-11.5)],
  ['past its own expires', 'signature.expired', withInput(';keyid', `;expires=${NOW - 1};keyid`)],
  ['created in milliseconds', 'signature.expired', withInput(`created=${NOW}`, `created=${NOW}000`)],

  ['a key of nobody', 'signature.key_unknown', withInput('keyid="good"', 'keyid="nobody"')],
  ['a retired key', 'signature.key_retired', signed({ signer: pairs.retired.signer })],
  ['a compromised key', 'signature.key_compromised', signed({ signer: pairs.compromised.signer })],
  ['alg of another key type', 'signature.algorithm_refused', withInput(';keyid', ';alg="rsa-pss-sha512";keyid')],
  ['alg hmac-sha256', 'signature.algorithm_refused', withInput(';keyid', ';alg="hmac-sha256";keyid')],
  ['alg none', 'signature.algorithm_refused', withInput(';keyid', ';alg="none";keyid')],
  ['a key that does not fit its algorithm', 'signature.algorithm_refused', signed({ signer: pairs.mislabelled.signer })],

  ['another method', 'signature.invalid', { ...good, method: 'PUT' }],
  ['another path', 'signature.invalid', { ...good, targetUri: 'https://bank.example/v1/record?a=1' }],
  ['another query', 'signature.invalid', { ...good, targetUri: 'https://bank.example/v1/records?a=2' }],
  ['another origin', 'signature.invalid', { ...good, targetUri: 'https://evil.example/v1/records?a=1' }],
  ['another digest', 'signature.invalid', withFields({ 'content-digest': formatContentDigest(sha256(Buffer.from('x'))) })],
  ['another nonce', 'signature.invalid', withInput('nonce-12345678', 'nonce-12345679')],
  ['another created', 'signature.invalid', withInput(`created=${NOW}`, `created=${NOW - 1}`)],
  ['components in another order', 'signature.invalid', withInput('"@method" "@target-uri"', '"@target-uri" "@method"')],
  ['a parameter more', 'signature.invalid', withInput(';keyid', ';alg="ed25519";keyid')],
  ['the signature of another key', 'signature.invalid', withInput('keyid="good"', 'keyid="ready"')],
  ['a truncated signature', 'signature.invalid', withFields({ signature: 'sig1=:AAAA:' })],

  ['two signatures with our tag', 'signature.malformed', withFields({ 'signature-input': `${input}, ${input.replace('sig1', 'sig2')}` })],
  ['a label twice', 'signature.malformed', withFields({ 'signature-input': `${input}, ${input}` })],
  ['a parameter twice', 'signature.malformed', withInput(';keyid="good"', ';keyid="good";keyid="good"')],
  ['a component twice', 'signature.malformed', withInput('"@method"', '"@method" "@method"')],
  ['a query parameter without a right name', 'signature.malformed', withInput('"@method"', '"@method" "@query-param";name="%"')],
  ['a query parameter that is not UTF-8', 'signature.malformed', withInput('"@method"', '"@method" "@query-param";name="%ff"')],
  ['a component in capitals', 'signature.malformed', withInput('"content-digest"', '"content-digest" "Date"')],
  ['an unknown derived component', 'signature.malformed', withInput('"@method"', '"@method" "@body"')],
  ['a component that is a token', 'signature.malformed', withInput('"@method"', '"@method" date')],
  ['the parameter sf', 'signature.malformed', withInput('"content-digest"', '"content-digest" "content-digest";sf')],
  ['the parameter bs', 'signature.malformed', withInput('"content-digest"', '"content-digest" "content-digest";bs')],
  ['the parameter req in a request', 'signature.malformed', withInput('"content-digest"', '"content-digest" "@method";req')],
  ['an unknown parameter', 'signature.malformed', withInput(';keyid', ';kid="x";keyid')],
  ['created as a string', 'signature.malformed', withInput(`created=${NOW}`, `created="${NOW}"`)],
  ['created as a decimal', 'signature.malformed', withInput(`created=${NOW}`, `created=${NOW}.5`)],
  ['created negative', 'signature.malformed', withInput(`created=${NOW}`, 'created=-1')],
  ['keyid as a token', 'signature.malformed', withInput('keyid="good"', 'keyid=good')],
  ['a short nonce', 'signature.malformed', withInput('nonce-12345678', 'short')],
  ['a long nonce', 'signature.malformed', withInput('nonce-12345678', 'n'.repeat(129))],
  ['padding left out', 'signature.malformed', withFields({ signature: String(good.headers['signature']).replace('==:', ':') })],
  ['the URL alphabet', 'signature.malformed', withFields({ signature: 'sig1=:__--:' })],
  ['stray bits', 'signature.malformed', withFields({ signature: 'sig1=:AAB=:' })],
  ['a signature as a string', 'signature.malformed', withFields({ signature: 'sig1="AAAA"' })],
  ['an input that is no list', 'signature.malformed', withFields({ 'signature-input': 'sig1="x";tag="fapi-2-request"' })],
  ['an open list', 'signature.malformed', withInput(')', '')],
  ['items without a space', 'signature.malformed', withInput('"@method" ', '"@method"')],
  ['bytes after the end', 'signature.malformed', withFields({ 'signature-input': `${input} x` })],
  ['a comma at the end', 'signature.malformed', withFields({ 'signature-input': `${input},` })],
  ['a character beyond ASCII', 'signature.malformed', withFields({ 'content-digest': 'é' })],
  ['a line break in a value', 'signature.malformed', withFields({ 'content-digest': 'a\nb' })],
  ['a field of 17,000 characters', 'signature.malformed', withFields({ 'signature-input': `${input};x="${'x'.repeat(17_000)}"` })],
  [
    '33 components',
    'signature.malformed',
    withInput('"@method"', ['"@method"', ...Array.from({ length: 33 }, (_, i) => `"h${i}"`)].join(' ')),
  ],
];

describe('a signed request', () => {
  it.each(CASES)('%s: %s', async (_what, code, message) => {
    expect(await codeOf(message)).toBe(code);
  });

  it('that is too old is told our time', async () => {
    const refused = await verifyHttpSignature(ago(61), REQUEST_PROFILE, { findKey, check: checkWithNode, at: AT }).catch((e: unknown) => e);
    expect((refused as Refusal).hints.extra).toEqual({ serverTime: AT.toISOString() });
  });

  it('stops being good whatever bit of its fields changes', () => {
    const flip = fc.tuple(fc.constantFrom('content-digest', 'signature-input', 'signature'), fc.nat(), fc.integer({ min: 1, max: 127 }));
    return fc.assert(
      fc.asyncProperty(flip, async ([name, place, bits]) => {
        const text = String(good.headers[name]);
        const at = place % text.length;
        const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ bits) + text.slice(at + 1);
        // White space around a value is no part of it.
        fc.pre(changed.trim() !== text);
        expect(await codeOf(withFields({ [name]: changed }))).not.toBe('accepted');
      }),
      { numRuns: 300 },
    );
  });
});

describe('a signed answer', () => {
  const answer: HttpResponseMessage = { status: 201, headers: {}, request: good };
  const sign = (response: HttpResponseMessage): HttpResponseMessage => ({
    ...response,
    headers: { ...signResponse(response, sha256(BODY), pairs.ec.signer, AT) },
  });

  it('is bound to its request, its status and its body', async () => {
    const bound = sign(answer);
    const otherRequest = { ...bound, request: signed({ signer: pairs.ready.signer }) };
    const otherDigest = { ...bound, headers: { ...bound.headers, 'content-digest': formatContentDigest(sha256(Buffer.from('x'))) } };
    const codes = [bound, { ...bound, status: 200 }, otherRequest, otherDigest].map((message) => codeOf(message, BOUND_RESPONSE_PROFILE));
    expect(await Promise.all(codes)).toEqual(['accepted', ...Array<string>(3).fill('signature.invalid')]);
  });

  it('to an unsigned request covers its method and target, and is not taken for a bound one', async () => {
    const loose = sign({ ...answer, request: bare });
    expect(await codeOf(loose, RESPONSE_PROFILE)).toBe('accepted');
    expect(await codeOf({ ...loose, request: { ...bare, method: 'PUT' } }, RESPONSE_PROFILE)).toBe('signature.invalid');
    expect(await codeOf({ ...loose, request: good }, BOUND_RESPONSE_PROFILE)).toBe('signature.component_missing');
  });
});

describe('Content-Digest', () => {
  const check = (text: string, body: Uint8Array = BODY) => {
    try {
      checkContentDigest(parseContentDigest(text), sha256(body));
      return 'accepted';
    } catch (error) {
      return (error as Refusal).code;
    }
  };
  const right = formatContentDigest(sha256(BODY));
  it.each([
    ['right', 'accepted', right],
    ['beside an algorithm that nobody knows', 'accepted', `blake9=:AAAA:, ${right}`],
    ['of other bytes', 'digest.mismatch', formatContentDigest(sha256(Buffer.from('other')))],
    ['right, beside one that nobody computed', 'digest.mismatch', `${right}, sha-512=:${'A'.repeat(86)}==:`],
    ['md5 only', 'digest.mismatch', 'md5=:AAAAAAAAAAAAAAAAAAAAAA==:'],
    ['empty', 'digest.mismatch', ''],
    ['too short', 'signature.malformed', 'sha-256=:AAAA:'],
    ['hexadecimal', 'signature.malformed', 'sha-256=abcdef'],
    ['of a name without its hyphen', 'digest.mismatch', right.replace('sha-256', 'sha256')],
  ])('%s', (_what, code, text) => {
    expect(check(text)).toBe(code);
  });

  it('two right digests count, one wrong among them does not', () => {
    const both = new Map([...sha256(BODY), ['sha-512', createHash('sha512').update(BODY).digest()] as const]);
    expect(() => checkContentDigest(parseContentDigest(formatContentDigest(both)), both)).not.toThrow();
  });
});

describe('structured fields', () => {
  it('what is written is read back equal', () => {
    const item = fc.oneof(
      fc.string({ unit: fc.constantFrom(...' !"#\\abz~09') }),
      fc.integer({ min: -1e14, max: 1e14 }),
      fc.boolean(),
      fc.uint8Array(),
    );
    const params = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,8}$/), item), { selector: ([key]) => key });
    const list = fc.array(fc.record({ value: item, params: params.map((entries) => new Map(entries)) }), { maxLength: 5 });
    fc.assert(
      fc.property(list, params, (items, outer) => {
        const written: InnerList = { items, params: new Map(outer) };
        const read = parseDictionary(`x=${formatInnerList(written)}`, 'x').get('x') as InnerList;
        expect(formatInnerList(read)).toBe(formatInnerList(written));
        expect(read.items.length).toBe(items.length);
      }),
    );
  });

  it('any bytes are read or refused, never a crash', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab=;,():"?1 \\') })), (text) => {
        try {
          parseDictionary(text, 'x');
        } catch (error) {
          expect((error as Refusal).code).toBe('signature.malformed');
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('an explanation', () => {
  it('names the one step that failed', () => {
    const steps = explainSteps(new Refusal('unauthenticated', 'signature.invalid', 'no'));
    expect(steps.map(({ result }) => result)).toEqual(['passed', 'passed', 'passed', 'passed', 'failed', 'not reached', 'not reached']);
    expect(explainSteps(undefined).every(({ result }) => result === 'passed')).toBe(true);
    expect(explainSteps(new Refusal('malformed', 'signature.malformed', randomBytes(4).toString('hex')))[0]?.result).toBe('failed');
  });
});
