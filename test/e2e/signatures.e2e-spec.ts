import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BOUND_RESPONSE_PROFILE,
  checkWithNode,
  createHttpSigner,
  type HttpFields,
  type JsonWebKey,
  parsePublicJwk,
  RESPONSE_PROFILE,
  type VerificationKey,
  verifyHttpSignature,
} from '#evidence';
import { camt053 } from '#reconciliation/testing/samples';
import { GatewayClient, type GatewayClientOptions, ProblemError, type SigningKey, UnverifiedAnswerError } from '#sdk';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { signatureFields } from '../world/sign-request.js';

const POLL = '{"returnImmediately":true}';
let world: GatewayWorld;
let origin: string;

beforeAll(async () => {
  world = await openGatewayWorld();
  origin = `https://localhost:${world.port}`;
});
afterAll(() => world?.close());

interface Answer {
  readonly status: number;
  readonly headers: HttpFields;
  readonly body: { readonly code?: string } & Record<string, unknown>;
}

/** A call with exactly these headers and bytes: as bank-a's certificate, whatever is signed. */
function raw(path: string, headers: Record<string, string>, body: string | Buffer, method = 'POST'): Promise<Answer> {
  const { ca, cert, key } = world.client('bank-a');
  return new Promise((resolve, reject) => {
    const sent = https.request(`https://localhost:${world.port}${path}`, { method, ca, cert, key, headers, agent: false }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => {
        const text = Buffer.concat(pieces).toString();
        resolve({ status: answer.statusCode!, headers: answer.headers, body: JSON.parse(text || '{}') as Answer['body'] });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };
const fields = (path: string, body: string | Buffer, more?: { at?: Date; nonce?: string }, signer = world.signers['bank-a']) =>
  signatureFields({ method: 'POST', targetUri: origin + path }, Buffer.from(body), signer, more);
const poll = (headers: Record<string, string>, body = POLL) => raw('/v1/events/poll', { ...JSON_TYPE, ...headers }, body);
const pollFields = (more?: { at?: Date; nonce?: string }) => fields('/v1/events/poll', POLL, more);
const codeOf = ({ status, body }: Answer) => [status, body.code];
const input = (headers: Record<string, string>, from: string | RegExp, to: string) => ({
  ...headers,
  'signature-input': headers['signature-input']!.replace(from, to),
});

async function gatewayKeys(): Promise<VerificationKey[]> {
  const { body } = await world.call(world.client('bank-a'), '/.well-known/jwks.json').expect(200);
  return (body as { keys: JsonWebKey[] }).keys.map((jwk) => ({ ...parsePublicJwk(jwk), state: 'ACTIVE' as const }));
}

async function registered(kid: string, alg: SigningKey['alg'], pair: { publicKey: KeyObject; privateKey: KeyObject }): Promise<SigningKey> {
  await world.participants.addKey('bank-a', parsePublicJwk({ ...pair.publicKey.export({ format: 'jwk' }), kid, alg }));
  return { kid, alg, privateKey: pair.privateKey };
}

function gateway(signingKey: SigningKey, more: Partial<GatewayClientOptions> = {}): GatewayClient {
  const { ca, cert, key } = world.client('bank-a');
  return new GatewayClient({ origin, ca, cert, key, signingKey, ...more });
}

describe('a request that changes something', () => {
  it('is accepted signed, and its bytes again under a new signature', async () => {
    expect((await poll(pollFields())).status).toBe(200);
    expect((await poll(pollFields())).status).toBe(200);
  });

  it('is refused unsigned, with the recipe, however its path is spelled', async () => {
    for (const path of ['/v1/events/poll', '/%761/events/poll', '/v1/%65vents/poll', '/v1/records', '/v1/statements']) {
      const answer = await raw(path, JSON_TYPE, POLL);
      expect([path, ...codeOf(answer)]).toEqual([path, 401, 'signature.missing']);
      expect(answer.body['recipe']).toBe(`${origin}/docs`);
    }
  });

  it('is good once: of twenty at the same time one has an effect, and later none', async () => {
    const headers = pollFields({ nonce: randomUUID() });
    const answers = await Promise.all(Array.from({ length: 20 }, () => poll(headers)));
    const codes = answers.map((answer) => answer.body.code ?? 'accepted').sort();
    expect(codes).toEqual(['accepted', ...Array<string>(19).fill('nonce.replayed')]);
    expect(codeOf(await poll(headers))).toEqual([401, 'nonce.replayed']);
  });

  it('leaves its nonce alone when it is refused before its effect', async () => {
    const headers = pollFields();
    expect(codeOf(await poll(headers, '{"maxEvents":0}'))).toEqual([401, 'digest.mismatch']);
    expect((await poll(headers)).status).toBe(200);
  });

  it.each([
    ['signature.expired', () => pollFields({ at: new Date(Date.now() - 120_000) })],
    ['signature.expired', () => pollFields({ at: new Date(Date.now() + 60_000) })],
    ['signature.key_unknown', () => input(pollFields(), 'bank-a-1', 'bank-b-1')],
    ['signature.algorithm_refused', () => input(pollFields(), ';keyid', ';alg="hmac-sha256";keyid')],
    ['signature.component_missing', () => input(pollFields(), ' "content-digest"', '')],
    ['signature.component_missing', () => input(pollFields(), /;nonce="[^"]*"/, '')],
    ['signature.invalid', () => fields('/v1/events/pol', POLL)],
    ['signature.invalid', () => ({ ...pollFields(), 'content-digest': fields('/', 'other')['content-digest']! })],
    ['digest.mismatch', () => fields('/v1/events/poll', 'other')],
  ])('is refused by name: %s', async (code, headers) => {
    expect(codeOf(await poll(headers()))).toEqual([401, code]);
  });

  it('that is malformed is 400', async () => {
    expect(codeOf(await poll({ ...pollFields(), signature: 'sig1=:!:' }))).toEqual([400, 'signature.malformed']);
  });

  it('that is too old is told the time here', async () => {
    const { body } = await poll(pollFields({ at: new Date(Date.now() - 120_000) }));
    expect(Math.abs(Date.parse(String(body['serverTime'])) - Date.now())).toBeLessThan(60_000);
  });

  it('is judged before its body comes', async () => {
    const { ca, cert, key } = world.client('bank-a');
    const socket = tls.connect({ host: '127.0.0.1', port: world.port, servername: 'localhost', ca, cert: cert, key: key });
    const lines = Object.entries({ ...JSON_TYPE, ...input(pollFields(), 'bank-a-1', 'nobody'), 'content-length': '1000000' });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`POST /v1/events/poll HTTP/1.1\r\nHost: localhost:${world.port}\r\n${head}\r\n`);
    const [first] = (await new Promise<Buffer[]>((resolve) => socket.once('data', (data) => resolve([data])))) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1.1 401[\s\S]*signature\.key_unknown/);
    socket.destroy();
  });

  it('under a key that was retired or given up is refused at once', async () => {
    const [retired, given] = [
      await registered('rotated', 'EdDSA', generateKeyPairSync('ed25519')),
      await registered('given-up', 'EdDSA', generateKeyPairSync('ed25519')),
    ];
    const pollAs = (key: SigningKey) => poll(fields('/v1/events/poll', POLL, {}, createHttpSigner(key) as never));
    expect([(await pollAs(retired)).status, (await pollAs(given)).status]).toEqual([200, 200]);
    await world.participants.retireKey('bank-a', 'rotated');
    await world.participants.markCompromised('bank-a', 'given-up');
    expect(codeOf(await pollAs(retired))).toEqual([401, 'signature.key_retired']);
    expect(codeOf(await pollAs(given))).toEqual([401, 'signature.key_compromised']);
  });

  it('with a large body waits on disk, has no effect when it is not what was signed, and leaves nothing behind', async () => {
    const plain = Buffer.from(camt053([{ endToEndId: 'BIG' }])).toString();
    const file = Buffer.from(plain.replace('<Stmt>', `<!--${'x'.repeat(5 * 2 ** 20)}--><Stmt>`));
    const headers = { 'content-type': 'application/xml', ...fields('/v1/statements', file) };
    const changed = Buffer.from(file);
    changed[file.length - 20]! ^= 1;
    expect(codeOf(await raw('/v1/statements', headers, changed))).toEqual([401, 'digest.mismatch']);
    expect(await raw('/v1/statements', headers, file)).toMatchObject({ status: 202 });
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('tallystick-body-'))).toEqual([]);
  });
});

describe('an answer under /v1', () => {
  it('is signed with a published key, also a refusal, and belongs to its request', async () => {
    const keys = await gatewayKeys();
    const verify = (answer: Answer, headers: Record<string, string>, method = 'POST', path = '/v1/events/poll') => {
      const request = { method, targetUri: origin + path, headers };
      const profile = headers['signature'] === undefined ? RESPONSE_PROFILE : BOUND_RESPONSE_PROFILE;
      const message = { status: answer.status, headers: answer.headers, request };
      return verifyHttpSignature(message, profile, { findKey: (kid) => keys.find((key) => key.kid === kid), check: checkWithNode });
    };
    const [good, late] = [pollFields(), pollFields({ at: new Date(0) })];
    const [answer, refusal, unsigned] = [await poll(good), await poll(late), await poll({})];
    await verify(answer, good);
    await verify(refusal, late);
    await verify(unsigned, {});
    await expect(verify(answer, pollFields())).rejects.toThrow(/signature.invalid/);
    await expect(verify({ ...answer, status: 201 }, good)).rejects.toThrow(/signature.invalid/);
    for (const path of ['/v1/participants/me', '/v1/nothing/here', '/v1/records/none']) {
      await verify(await raw(path, {}, '', 'GET'), {}, 'GET', path);
    }
  });
});

describe('the SDK', () => {
  it.each([
    ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['EdDSA', () => generateKeyPairSync('ed25519')],
    ['PS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ] as const)('signs with %s and verifies what comes back', async (alg, pair) => {
    const client = gateway(await registered(`sdk-${alg}`, alg, pair()));
    const answer = await client.send({ method: 'POST', path: '/v1/events/poll', body: POLL, contentType: 'application/json' });
    expect(answer.json()).toMatchObject({ moreAvailable: false });
    expect(await client.send({ method: 'GET', path: '/v1/participants/me' })).toMatchObject({ status: 200 });
    const refused = await client.send({ method: 'GET', path: '/v1/records/none' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'ProblemError', status: 404, code: 'record.unknown' });
    expect(refused).toBeInstanceOf(ProblemError);
    await client.close();
  });

  it('sends a body that it opens anew for each attempt', async () => {
    const client = gateway(await registered('sdk-stream', 'EdDSA', generateKeyPairSync('ed25519')));
    let opened = 0;
    const file = camt053([{ endToEndId: 'STREAMED' }]);
    const source = {
      open: async function* () {
        opened++;
        yield file.subarray(0, 100);
        yield file.subarray(100);
      },
    };
    const answer = await client.send({ method: 'POST', path: '/v1/statements', body: source, contentType: 'application/xml' });
    expect([answer.status, opened]).toEqual([202, 2]);
    await client.close();
  });

  it('keeps an answer of any size where its caller says', async () => {
    const spoolDir = path.join(world.home, 'bank', 'spool');
    const client = gateway(await registered('sdk-kept', 'EdDSA', generateKeyPairSync('ed25519')), { spoolDir });
    const kept = await client.download({ method: 'GET', path: '/v1/participants/me' });
    expect([existsSync(spoolDir), readdirSync(spoolDir)]).toEqual([true, []]);
    await kept.discard();
    await client.close();
  });

  it('believes no answer under another key', async () => {
    const other = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'other', alg: 'EdDSA' };
    const client = gateway({ kid: 'none', alg: 'EdDSA', privateKey: generateKeyPairSync('ed25519').privateKey }, { gatewayKeys: [other] });
    const refused = await client.send({ method: 'GET', path: '/v1/participants/me' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UnverifiedAnswerError);
    expect(refused).toMatchObject({ status: 200, code: 'signature.key_unknown' });
    await client.close();
  });
});

describe('the echo', () => {
  const PATH = '/v1/security/echo';
  const echo = (headers: Record<string, string>, body = 'a.b.c') => raw(PATH, { 'content-type': 'application/jose', ...headers }, body);
  interface Told {
    readonly accepted: boolean;
    readonly signatureBase?: string;
    readonly contentDigest: string;
    readonly steps: readonly { readonly step: string; readonly result: string; readonly code?: string }[];
  }
  const told = async (answer: Promise<Answer>) => (await answer).body['request'] as Told;

  it('shows the base it computed and passes what would be accepted', async () => {
    const headers = fields(PATH, 'a.b.c');
    const { accepted, signatureBase, contentDigest, steps } = await told(echo(headers));
    expect([accepted, contentDigest]).toEqual([true, headers['content-digest']]);
    expect(steps.every(({ result }) => result === 'passed')).toBe(true);
    expect(signatureBase?.split('\n')).toEqual([
      '"@method": POST',
      `"@target-uri": ${origin}${PATH}`,
      `"content-digest": ${headers['content-digest']}`,
      `"@signature-params": ${headers['signature-input']!.slice('sig1='.length)}`,
    ]);
  });

  it.each([
    ['form', 'signature.missing', () => ({})],
    ['form', 'signature.malformed', () => ({ ...fields(PATH, 'a.b.c'), signature: 'sig1=x' })],
    ['coverage', 'signature.component_missing', () => input(fields(PATH, 'a.b.c'), '"@method" ', '')],
    ['time', 'signature.expired', () => fields(PATH, 'a.b.c', { at: new Date(0) })],
    ['key', 'signature.key_unknown', () => input(fields(PATH, 'a.b.c'), 'bank-a-1', 'nobody')],
    ['signature', 'signature.invalid', () => fields('/v1/security', 'a.b.c')],
    ['digest', 'digest.mismatch', () => fields(PATH, 'other')],
  ])('names the step that failed: %s, %s', async (step, code, headers) => {
    const { accepted, steps } = await told(echo(headers()));
    expect(accepted).toBe(false);
    expect(steps.filter(({ result }) => result === 'failed')).toMatchObject([{ step, code }]);
  });

  it('tells a replay', async () => {
    const headers = fields(PATH, 'a.b.c');
    expect((await told(echo(headers))).accepted).toBe(true);
    expect((await told(echo(headers))).steps.at(-1)).toMatchObject({ step: 'nonce', result: 'failed', code: 'nonce.replayed' });
  });
});

describe('while signatures are optional', () => {
  it('unsigned requests are accepted, wrongly signed ones are not', async () => {
    const transition = await openGatewayWorld({ signatures: 'optional' });
    try {
      const bank = transition.client('bank-a');
      const { signer: _unused, ...unsigned } = bank;
      await transition.call(unsigned, '/v1/events/poll', 'post').type('json').send({ returnImmediately: true }).expect(200);
      const wrong = { ...bank, signer: transition.signers['bank-b'] };
      const answer = await transition.call(wrong, '/v1/events/poll', 'post').send({ returnImmediately: true }).expect(401);
      expect((answer.body as { code: string }).code).toBe('signature.key_unknown');
    } finally {
      await transition.close();
    }
  });
});
