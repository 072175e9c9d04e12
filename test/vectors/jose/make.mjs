// Makes keys.json and cases.json: one good JWS per algorithm, then the same with one change each, and the code we expect.
// Keys are new at every run and their private halves are never written. Run: node test/vectors/jose/make.mjs
import { constants, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const TYP = 'credit-record+jwt';
const b64 = (data) => Buffer.from(data).toString('base64url');
const pair = (type, options, alg, kid, state = 'ACTIVE') => {
  const { publicKey, privateKey } = generateKeyPairSync(type, options);
  return { privateKey, publicKey: { kid, alg, state, jwk: publicKey.export({ format: 'jwk' }) } };
};
const keys = {
  ec: pair('ec', { namedCurve: 'P-256' }, 'ES256', 'ec-1'),
  ed: pair('ed25519', {}, 'EdDSA', 'ed-1'),
  rsa: pair('rsa', { modulusLength: 2048 }, 'PS256', 'rsa-1'),
  ready: pair('ed25519', {}, 'EdDSA', 'ready-1', 'READY'),
  retired: pair('ed25519', {}, 'EdDSA', 'retired-1', 'RETIRED'),
  compromised: pair('ed25519', {}, 'EdDSA', 'compromised-1', 'COMPROMISED'),
  weak: pair('rsa', { modulusLength: 1024 }, 'PS256', 'weak-1'),
  p384: pair('ec', { namedCurve: 'P-384' }, 'ES256', 'p384-1'),
  mislabelled: pair('ed25519', {}, 'ES256', 'mislabelled-1'),
};
const signatures = {
  ES256: (data, key) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  EdDSA: (data, key) => sign(null, data, key),
  PS256: (data, key) => sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
};
const PAYLOAD = '{"iss":"bank-a","jti":"01930000-0000-7000-8000-000000000001","kind":"rating","seq":1,"score":712}';

/** Header and payload are JSON text, so that forms a serialiser would never write can be written. */
function jws({ key = keys.ed, header, payload = PAYLOAD, alg = key.publicKey.alg, signature } = {}) {
  const input = `${b64(header ?? `{"alg":"${alg}","kid":"${key.publicKey.kid}","typ":"${TYP}"}`)}.${b64(payload)}`;
  return `${input}.${b64(signature ?? signatures[alg](Buffer.from(input), key.privateKey))}`;
}
const withHeader = (more) => jws({ header: `{"alg":"EdDSA","kid":"ed-1","typ":"${TYP}",${more}}` });
const withPayload = (payload) => jws({ payload });
const claiming = (alg) => jws({ header: `{"alg":${JSON.stringify(alg)},"kid":"ed-1","typ":"${TYP}"}` });
const good = jws();
const [goodHeader, goodPayload, goodSignature] = good.split('.');
const spkiOfEd = keys.ed.publicKey.jwk.x;

/** The same bits with the spare low bits of the last character set: decodes alike, is another text. */
function looseLastCharacter(text) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)) + 1];
}
function hmac() {
  const input = `${b64(`{"alg":"HS256","kid":"ed-1","typ":"${TYP}"}`)}.${goodPayload}`;
  return `${input}.${createHmac('sha256', Buffer.from(spkiOfEd, 'base64url')).update(input).digest('base64url')}`;
}
function flipped(part) {
  const bytes = Buffer.from(part, 'base64url');
  bytes[5] ^= 1;
  return b64(bytes);
}

const OK = undefined;
const MALFORMED = 'signature.malformed';
const HEADER = 'signature.header_refused';
const ALGORITHM = 'signature.algorithm_refused';
const INVALID = 'signature.invalid';
const rows = [
  ['good: EdDSA', OK, good],
  ['good: ES256', OK, jws({ key: keys.ec })],
  ['good: PS256', OK, jws({ key: keys.rsa })],
  ['good: a READY key', OK, jws({ key: keys.ready })],
  ['good: header names in another order', OK, jws({ header: `{"typ":"${TYP}","kid":"ed-1","alg":"EdDSA"}` })],
  ['good: same name in different objects', OK, withPayload('{"a":{"b":1},"c":{"b":2},"d":[{"b":3},{"b":4}]}')],
  ['good: largest exact integer', OK, withPayload('{"n":9007199254740991,"m":-9007199254740991}')],
  ['good: escapes and characters beyond the basic plane', OK, withPayload('{"name":"\\"\\\\ \\ud83d\\ude00 张"}')],

  ['nothing', 'signature.missing', ''],
  ['empty signature part', 'signature.missing', `${goodHeader}.${goodPayload}.`],

  ['alg none', ALGORITHM, `${b64(`{"alg":"none","kid":"ed-1","typ":"${TYP}"}`)}.${goodPayload}.`],
  ['alg None', ALGORITHM, `${b64(`{"alg":"None","kid":"ed-1","typ":"${TYP}"}`)}.${goodPayload}.`],
  ['alg none with a signature', ALGORITHM, claiming('none')],
  ['alg HS256 keyed with the public key', ALGORITHM, hmac()],
  ...['HS384', 'HS512', 'RS256', 'ES384', 'ES256K', 'PS512', 'Ed25519', 'es256', 'constructor', 1, null, ['EdDSA']].map((alg) => [
    `alg ${JSON.stringify(alg)}`,
    ALGORITHM,
    claiming(alg),
  ]),
  ['no alg', ALGORITHM, jws({ header: `{"kid":"ed-1","typ":"${TYP}"}` })],
  [
    'another algorithm than the key is registered for',
    ALGORITHM,
    jws({ key: keys.ec, header: `{"alg":"ES256","kid":"ed-1","typ":"${TYP}"}` }),
  ],
  ['RSA key of 1024 bits', ALGORITHM, jws({ key: keys.weak })],
  ['P-384 key for ES256', ALGORITHM, jws({ key: keys.p384 })],
  [
    'Ed25519 key registered as ES256',
    ALGORITHM,
    jws({ key: { ...keys.mislabelled, publicKey: { kid: 'mislabelled-1', alg: 'ES256' } }, signature: Buffer.alloc(64, 1) }),
  ],

  ['jku', HEADER, withHeader('"jku":"https://attacker.example/jwks.json"')],
  ['x5u', HEADER, withHeader('"x5u":"https://attacker.example/cert.pem"')],
  ['x5c', HEADER, withHeader('"x5c":["MIIB"]')],
  ['x5t#S256', HEADER, withHeader('"x5t#S256":"AAAA"')],
  ['jwk', HEADER, withHeader(`"jwk":{"kty":"OKP","crv":"Ed25519","x":"${spkiOfEd}"}`)],
  ['crit', HEADER, withHeader('"crit":["exp"],"exp":1')],
  ['b64 false', HEADER, withHeader('"b64":false')],
  ['b64 false with crit', HEADER, withHeader('"b64":false,"crit":["b64"]')],
  ['zip', HEADER, withHeader('"zip":"DEF"')],
  ['cty', HEADER, withHeader('"cty":"json"')],
  ['unknown header name', HEADER, withHeader('"x":1')],
  ['typ of another kind of token', HEADER, jws({ header: '{"alg":"EdDSA","kid":"ed-1","typ":"record-receipt+jwt"}' })],
  ['typ in capitals', HEADER, jws({ header: '{"alg":"EdDSA","kid":"ed-1","typ":"Credit-Record+JWT"}' })],
  ['typ with application/', HEADER, jws({ header: `{"alg":"EdDSA","kid":"ed-1","typ":"application/${TYP}"}` })],
  ['no typ', HEADER, jws({ header: '{"alg":"EdDSA","kid":"ed-1"}' })],
  ['no kid', HEADER, jws({ header: `{"alg":"EdDSA","typ":"${TYP}"}` })],
  ['kid a number', HEADER, jws({ header: `{"alg":"EdDSA","kid":1,"typ":"${TYP}"}` })],
  ['kid with a line break', HEADER, jws({ header: `{"alg":"EdDSA","kid":"ed-1\\n","typ":"${TYP}"}` })],

  ['kid of nobody', 'signature.key_unknown', jws({ header: `{"alg":"EdDSA","kid":"ed-2","typ":"${TYP}"}` })],
  ['retired key', 'signature.key_retired', jws({ key: keys.retired })],
  ['compromised key', 'signature.key_compromised', jws({ key: keys.compromised })],

  ['payload changed', INVALID, `${goodHeader}.${flipped(goodPayload)}.${goodSignature}`],
  ['signature changed', INVALID, `${goodHeader}.${goodPayload}.${flipped(goodSignature)}`],
  ['signature one byte short', INVALID, `${goodHeader}.${goodPayload}.${b64(Buffer.from(goodSignature, 'base64url').subarray(1))}`],
  [
    'signature one byte long',
    INVALID,
    `${goodHeader}.${goodPayload}.${b64(Buffer.concat([Buffer.from(goodSignature, 'base64url'), Buffer.alloc(1)]))}`,
  ],
  ['signature of another key', INVALID, jws({ key: { ...keys.ed, privateKey: keys.ready.privateKey } })],
  ['ES256 in DER', INVALID, derSignature()],
  ['ES256 of zeros', INVALID, jws({ key: keys.ec, signature: Buffer.alloc(64) })],
  ['PS256 key with PKCS#1 v1.5 signature', INVALID, pkcs1Signature()],

  ['padding in the header', MALFORMED, `${goodHeader}=.${goodPayload}.${goodSignature}`],
  ['padding in the signature', MALFORMED, `${good}==`],
  ['line break at the end', MALFORMED, `${good}\n`],
  ['space at the start', MALFORMED, ` ${good}`],
  ['white space inside the payload', MALFORMED, `${goodHeader}.${goodPayload.slice(0, 8)} ${goodPayload.slice(8)}.${goodSignature}`],
  [
    'plain base64 alphabet',
    MALFORMED,
    `${goodHeader}.${b64(Buffer.from('{"a":"???>>>"}')).replaceAll('_', '/').replaceAll('-', '+')}.${goodSignature}`,
  ],
  ['spare bits set in the signature', MALFORMED, `${goodHeader}.${goodPayload}.${looseLastCharacter(goodSignature)}`],
  ['byte above ASCII', MALFORMED, `${good}\u00e9`],
  ['NUL at the end', MALFORMED, `${good}\u0000`],
  ['two parts', MALFORMED, `${goodHeader}.${goodPayload}`],
  ['four parts', MALFORMED, `${good}.AAAA`],
  ['five parts (encrypted form)', MALFORMED, `${good}.AAAA.AAAA`],
  ['JSON serialisation', MALFORMED, JSON.stringify({ protected: goodHeader, payload: goodPayload, signature: goodSignature })],
  ['too long', MALFORMED, withPayload(`{"a":"${'x'.repeat(70_000)}"}`)],
  ['empty header', MALFORMED, `.${goodPayload}.${goodSignature}`],
  ['header an array', MALFORMED, jws({ header: '["EdDSA"]' })],
  ['header null', MALFORMED, jws({ header: 'null' })],
  ['header not JSON', MALFORMED, jws({ header: '{alg:"EdDSA"}' })],
  ['header with bytes after it', MALFORMED, jws({ header: `{"alg":"EdDSA","kid":"ed-1","typ":"${TYP}"}x` })],
  ['header with a byte order mark', MALFORMED, jws({ header: `\ufeff{"alg":"EdDSA","kid":"ed-1","typ":"${TYP}"}` })],
  ['duplicate alg', MALFORMED, jws({ header: `{"alg":"EdDSA","alg":"EdDSA","kid":"ed-1","typ":"${TYP}"}` })],
  ['duplicate kid, one escaped', MALFORMED, jws({ header: `{"alg":"EdDSA","kid":"ed-1","\\u006bid":"ed-1","typ":"${TYP}"}` })],
  ['payload not JSON', MALFORMED, withPayload('score=712')],
  ['payload empty', MALFORMED, withPayload('')],
  ['payload an array', MALFORMED, withPayload('[1]')],
  ['payload a string', MALFORMED, withPayload('"712"')],
  ['payload with a trailing comma', MALFORMED, withPayload('{"a":1,}')],
  ['duplicate name in the payload', MALFORMED, withPayload('{"score":712,"score":350}')],
  ['duplicate name deep in the payload', MALFORMED, withPayload('{"a":[{"b":{"c":1,"d":2,"c":3}}]}')],
  ['duplicate name, one escaped', MALFORMED, withPayload('{"score":712,"s\\u0063ore":350}')],
  ['duplicate __proto__', MALFORMED, withPayload('{"__proto__":1,"__proto__":2}')],
  ['payload of invalid UTF-8', MALFORMED, withPayload(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]))],
  ['payload of overlong UTF-8', MALFORMED, withPayload(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc0, 0xaf, 0x22, 0x7d]))],
  ['half a surrogate pair', MALFORMED, withPayload('{"a":"\\ud83d"}')],
  ['2^53', MALFORMED, withPayload('{"n":9007199254740992}')],
  ['2^53 + 1', MALFORMED, withPayload('{"n":9007199254740993}')],
  ['-(2^53) - 1', MALFORMED, withPayload('{"n":[-9007199254740993]}')],
  ['1e400', MALFORMED, withPayload('{"n":1e400}')],
  ['nested seventeen deep', MALFORMED, withPayload(`${'{"a":'.repeat(17)}1${'}'.repeat(17)}`)],
];

function derSignature() {
  const input = jws({ key: keys.ec }).split('.').slice(0, 2).join('.');
  return `${input}.${b64(sign('sha256', Buffer.from(input), keys.ec.privateKey))}`;
}
function pkcs1Signature() {
  const input = jws({ key: keys.rsa }).split('.').slice(0, 2).join('.');
  return `${input}.${b64(sign('sha256', Buffer.from(input), keys.rsa.privateKey))}`;
}

const write = (name, value) => writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(value, null, 2)}\n`);
write(
  'keys.json',
  Object.values(keys).map(({ publicKey }) => publicKey),
);
write('cases.json', { typ: TYP, cases: rows.map(([name, code, text]) => ({ name, ...(code && { code }), jws: text })) });
