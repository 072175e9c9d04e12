import { generateKeyPairSync } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEd25519Signer, signJws } from '#evidence';
import type { Participants } from '#partners';
import { createLogger } from '#platform';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import { bodyBytesMax } from '../../apps/gateway/src/channel/body-limits.js';
import { createGateway } from '../../apps/gateway/src/start-gateway.js';
import { DAY_MS, issue, makeCrl, makeEcAuthority, publicPem } from '../../certs/authority.js';
import { EC_AUTHORITY, readDevelopmentAuthority, revokeInDevelopment, RSA_AUTHORITY } from '../../certs/make-dev-pki.js';
import { type GatewayWorld, type Identity, openGatewayWorld } from '../world/gateway-world.js';

const PROMISE_MS = 10_000;
let world: GatewayWorld;
let participants: Participants;
let home: string;
let port: number;

const pki = (name: string) => world.pki(name);
const client = (name: string) => world.client(name);
const call: GatewayWorld['call'] = (...args) => world.call(...args);

/** A client certificate of our own making, for what the standard folder does not hold. */
async function aLeaf(authority: { certificate: string; key: string }, participant: string): Promise<Identity & { serial: string }> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const cert = await issue(authority, {
    publicKey: publicPem(key),
    commonName: participant,
    names: [{ type: 'url', value: `urn:tallystick:participant:${participant}` }],
    usage: 'client',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + DAY_MS),
  });
  return { ca: pki('server/ca.pem'), cert, key, serial: readIssuedCertificate(cert, authority.certificate).serial };
}

async function until(condition: () => Promise<boolean>, ms = PROMISE_MS): Promise<number> {
  const start = Date.now();
  while (!(await condition())) {
    if (Date.now() - start > ms) throw new Error(`not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return Date.now() - start;
}

beforeAll(async () => {
  world = await openGatewayWorld();
  ({ participants, home, port } = world);
});
afterAll(() => world.close());

interface Described {
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly content?: object }>;
}

describe('a client certificate', () => {
  it.each(['bank-a', 'bank-b'])('opens the door for %s', async (name) => {
    const answer = await call(client(name)).expect(200);
    expect(answer.body).toMatchObject({ id: name, state: 'ACTIVE', missing: [] });
  });

  it.each([
    ['missing', 'certificate.missing', () => ({ ca: pki('server/ca.pem') })],
    ['a stranger’s', 'certificate.untrusted', () => client('stranger')],
    ['expired', 'certificate.expired', () => client('expired')],
    ['revoked by its CRL', 'certificate.revoked', () => client('revoked')],
    ['naming another participant', 'certificate.unregistered', () => client('impostor')],
    ['for servers', 'certificate.unsuitable', () => ({ ca: pki('server/ca.pem'), cert: serverLeaf.cert, key: serverLeaf.key })],
  ])('%s is refused as %s', async (_what, code, identity) => {
    for (const url of ['/v1/participants/me', '/.well-known/jwks.json', '/docs-json', '/nothing/here']) {
      const answer = await call(identity(), url).expect(401);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
      expect(answer.headers['connection']).toBe('close');
      expect((answer.body as { code: string }).code).toBe(code);
    }
  });

  it('is not taken from a header', async () => {
    const header = encodeURIComponent(pki('clients/bank-a/cert.pem'));
    await call({ ca: pki('server/ca.pem') })
      .set('x-client-cert', header)
      .set('client-cert', `:${header}:`)
      .expect(401);
  });

  let serverLeaf: { cert: string; key: string };
  beforeAll(async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const cert = await issue(readDevelopmentAuthority(path.join(home, 'pki'))!, {
      publicKey: publicPem(key),
      commonName: 'bank-a',
      names: [{ type: 'url', value: 'urn:tallystick:participant:bank-a' }],
      usage: 'server',
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + DAY_MS),
    });
    serverLeaf = { cert, key };
  });
});

describe('access that is lost', () => {
  /** One connection kept open: what each further call on it answers, or `closed`. */
  function keepAlive(identity: Identity) {
    const agent = new https.Agent({ ...identity, keepAlive: true, maxSockets: 1 });
    let first: tls.TLSSocket | undefined;
    return (): Promise<number | 'closed'> =>
      new Promise((resolve) => {
        if (first?.destroyed) return resolve('closed');
        const sent = https.get({ host: 'localhost', port, path: '/v1/participants/me', agent, servername: 'localhost' }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode!));
        });
        sent.on('socket', (socket) => (first ??= socket as tls.TLSSocket));
        sent.on('error', () => resolve('closed'));
      });
  }

  it.each([
    ['the registry', (serial: string) => participants.revokeCertificate('bank-a', serial, 'lost')],
    ['the CRL', (serial: string) => revokeInDevelopment(path.join(home, 'pki'), EC_AUTHORITY, serial, new Date())],
  ])('by a revocation in %s reaches an open connection within 10 s', async (_where, revoke) => {
    const authority = readDevelopmentAuthority(path.join(home, 'pki'))!;
    const leaf = await aLeaf(authority, 'bank-a');
    await participants.registerCertificate('bank-a', readIssuedCertificate(leaf.cert!, authority.certificate));
    const ask = keepAlive(leaf);
    expect([await ask(), await ask()]).toEqual([200, 200]);
    await revoke(leaf.serial);
    const took = await until(async () => (await ask()) !== 200);
    expect(took).toBeLessThan(PROMISE_MS);
    await call(leaf).expect(401);
    await call(client('bank-a')).expect(200);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('stays lost for a resumed session (%s)', async (version) => {
    const authority = readDevelopmentAuthority(path.join(home, 'pki'))!;
    const leaf = await aLeaf(authority, 'bank-a');
    await participants.registerCertificate('bank-a', readIssuedCertificate(leaf.cert!, authority.certificate));
    const connect = (session?: Buffer) => rawCall({ ...leaf, minVersion: version, maxVersion: version, ...(session && { session }) });
    const first = await connect();
    expect(first.text).toContain('HTTP/1.1 200');
    await participants.revokeCertificate('bank-a', leaf.serial, 'lost');
    const second = await connect(first.session);
    expect(second.resumed).toBe(true);
    expect(second.text).toMatch(/HTTP\/1.1 401[\s\S]*certificate\.revoked/);
  });

  it('by suspension, until it is lifted', async () => {
    const ask = keepAlive(client('bank-b'));
    expect(await ask()).toBe(200);
    await participants.suspend('bank-b', 'audit');
    await until(async () => (await ask()) !== 200);
    const refused = await call(client('bank-b')).expect(403);
    expect((refused.body as { code: string }).code).toBe('participant.suspended');
    await participants.activate('bank-b', 'audit passed');
    await call(client('bank-b')).expect(200);
  });
});

interface RawAnswer {
  text: string;
  session: Buffer | undefined;
  resumed: boolean;
}

/** One connection, one request as bytes, everything that comes back. */
function rawCall(
  options: tls.ConnectionOptions,
  text = `GET /v1/participants/me HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`,
) {
  return new Promise<RawAnswer>((resolve, reject) => {
    let session: Buffer | undefined;
    let answer = '';
    let resumed = false;
    const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca: pki('server/ca.pem'), ...options }, () =>
      socket.write(text),
    );
    socket.on('secureConnect', () => (resumed = socket.isSessionReused()));
    socket.on('session', (ticket) => (session = ticket));
    socket.on('data', (data) => (answer += String(data)));
    socket.on('close', () => resolve({ text: answer, session, resumed }));
    socket.on('error', (error) => (answer ? undefined : reject(error)));
  });
}

describe('the transport', () => {
  it.each([
    ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' }],
    ['no forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-GCM-SHA384' }],
  ] as const)('refuses %s', async (_what, options) => {
    await expect(rawCall({ ...client('bank-a'), ...options })).rejects.toThrow(/alert|handshake|version|ECONNRESET/i);
  });

  it('speaks TLS 1.2 with AEAD and forward secrecy', async () => {
    const { text } = await rawCall({ ...client('bank-a'), maxVersion: 'TLSv1.2' });
    expect(text).toContain('HTTP/1.1 200');
  });

  it.each([
    ['another Host', 421, 'host.misdirected', 'Host: evil.example\r\n'],
    ['the right host on another port', 421, 'host.misdirected', 'Host: localhost:1\r\n'],
    ['no Host header', 400, 'host.duplicate', ''],
    ['two Host headers', 400, 'host.duplicate', 'Host: HOST\r\nHost: HOST\r\n'],
    ['two different Host headers', 400, 'host.duplicate', 'Host: HOST\r\nHost: evil.example\r\n'],
  ])('refuses %s', async (_what, status, code, headers) => {
    const hosts = headers.replaceAll('HOST', `localhost:${port}`);
    const { text } = await rawCall(client('bank-a'), `GET /v1/participants/me HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`);
    expect(text).toContain(`HTTP/1.1 ${status}`);
    expect(text).toContain(code);
  });

  it('refuses a body over the limit with 413', async () => {
    const body = Buffer.alloc(bodyBytesMax + 1, 0x61);
    const answer = await call(client('bank-a'), '/v1/security/echo', 'post').type('application/jose').send(body);
    expect(answer.status).toBe(413);
    expect((answer.body as { code: string }).code).toBe('body.too_large');
  });

  it('tells this machine’s supervisor that it is ready, without a certificate', async () => {
    for (const url of ['/health', '/ready', '/metrics']) await call({ ca: pki('server/ca.pem') }, url).expect(200);
    const { text } = await call({ ca: pki('server/ca.pem') }, '/metrics');
    expect(text).toMatch(/tallystick_gateway_refused_total\{code="certificate.missing"\} \d+/);
  });
});

it('authorities of development are nobody’s in production', async () => {
  const config = { ...world.config, TALLYSTICK_ENV: 'production' } as const;
  await expect(createGateway(config, createLogger('test', 'silent'))).rejects.toThrow(/development-ec and development-rsa/);
});

describe('trust that changes while it runs', () => {
  const swap = (name: string, content: string) => {
    const file = path.join(home, 'pki', name);
    writeFileSync(`${file}.new`, content);
    renameSync(`${file}.new`, file);
  };
  /** Undefined where the change of trust cut the connection before it was answered: the next call is answered. */
  const status = (identity: Identity) => async () =>
    await call(identity).then(
      (answer) => answer.status,
      () => undefined,
    );
  const becomes = (identity: Identity, wanted: number) => until(async () => (await status(identity)()) === wanted);

  it('an expired CRL fails closed for its own authority only, and a fresh one opens again', async () => {
    const good = pki(`partners/${RSA_AUTHORITY}.crl.pem`);
    const authority = readDevelopmentAuthority(path.join(home, 'pki'), RSA_AUTHORITY)!;
    swap(
      `partners/${RSA_AUTHORITY}.crl.pem`,
      await makeCrl(authority, [], new Date(Date.now() - 2 * DAY_MS), new Date(Date.now() - DAY_MS)),
    );
    await becomes(client('bank-b'), 503);
    expect(((await call(client('bank-b'))).body as { code: string }).code).toBe('certificate.revocation_unknown');
    await call(client('bank-a')).expect(200);
    swap(`partners/${RSA_AUTHORITY}.crl.pem`, good);
    await becomes(client('bank-b'), 200);
  });

  it('so does a missing CRL, and one signed by somebody else', async () => {
    const name = `partners/${RSA_AUTHORITY}.crl.pem`;
    const good = pki(name);
    swap(name, pki(`partners/${EC_AUTHORITY}.crl.pem`));
    await becomes(client('bank-b'), 503);
    rmSync(path.join(home, 'pki', name));
    await until(async () => (await status(client('bank-b'))()) === 503);
    await call(client('bank-a')).expect(200);
    swap(name, good);
    await becomes(client('bank-b'), 200);
  });

  it('a new authority and a new server certificate are used without a restart', async () => {
    const authority = await makeEcAuthority('Bank A’s own', new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS));
    const leaf = await aLeaf(authority, 'bank-a');
    await call(leaf).expect(401);
    await participants.registerCertificate('bank-a', readIssuedCertificate(leaf.cert!, authority.certificate));
    swap('partners/own.ca.pem', authority.certificate);
    swap('partners/own.crl.pem', await makeCrl(authority, [], new Date(Date.now() - 60_000), new Date(Date.now() + DAY_MS)));
    await becomes(leaf, 200);
    rmSync(path.join(home, 'pki/partners/own.ca.pem'));
    await becomes(leaf, 401);
  });

  it('a folder that makes no sense leaves the last good state in force', async () => {
    const key = pki('server/key.pem');
    swap('server/key.pem', pki('clients/bank-a/key.pem'));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await call(client('bank-a')).expect(200);
    swap('server/key.pem', key);
  });
});

describe('the first calls of an integration engineer', () => {
  const TYP = 'credit-record+jwt';
  const echo = (body: string) => call(client('bank-a'), '/v1/security/echo', 'post').type('application/jose').send(Buffer.from(body));

  it('an accepted signature passes every step', async () => {
    const answer = await echo(signJws(TYP, { iss: 'bank-a' }, world.signers['bank-a'])).expect(200);
    expect(answer.body).toMatchObject({ accepted: true, header: { alg: 'EdDSA', kid: 'bank-a-1', typ: TYP } });
  });

  it.each([
    ['form', 'signature.malformed', () => `${signJws(TYP, {}, world.signers['bank-a'])}=`],
    ['header', 'signature.header_refused', () => signJws('JWT', {}, world.signers['bank-a'])],
    [
      'key',
      'signature.key_unknown',
      () => signJws(TYP, {}, createEd25519Signer(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))),
    ],
    ['signature', 'signature.invalid', () => signJws(TYP, {}, { ...world.signers['bank-a'], sign: () => new Uint8Array(64) })],
  ])('a fault is shown at its step: %s', async (step, code, make) => {
    const { body } = (await echo(make()).expect(200)) as {
      body: { accepted: boolean; steps: { step: string; result: string; code?: string }[] };
    };
    expect(body.accepted).toBe(false);
    expect(body.steps.find(({ result }) => result === 'failed')).toMatchObject({ step, code });
  });

  it('another content type is 415', async () => {
    await call(client('bank-a'), '/v1/security/echo', 'post').type('application/json').send('{}').expect(415);
  });

  it('JSON with a name twice is refused before anybody reads it', async () => {
    const answer = await call(client('bank-a'), '/v1/security/echo', 'post').type('application/json').send('{"a":1,"a":2}');
    expect([answer.status, (answer.body as { code: string }).code]).toEqual([400, 'body.malformed']);
  });

  it('our keys and our interface description are there', async () => {
    const jwks = await call(client('bank-a'), '/.well-known/jwks.json').expect(200);
    expect(jwks.body).toMatchObject({ keys: [{ kty: 'OKP', alg: 'EdDSA' }, { kty: 'OKP' }, { kty: 'OKP' }] });
    expect(JSON.stringify(jwks.body)).not.toContain('"d"');
    const api = await call(client('bank-a'), '/docs-json').expect(200);
    expect(Object.keys((api.body as { paths: object }).paths)).toEqual(
      expect.arrayContaining(['/v1/participants/me', '/v1/security/echo']),
    );
    await call(client('bank-a'), '/docs').expect(200);
  });

  it('our interface description tells of each call what it takes, that it is signed, and how it refuses', async () => {
    const { paths } = (await call(client('bank-a'), '/docs-json').expect(200)).body as { paths: Record<string, Record<string, Described>> };
    const withoutBody = /\/(activation|retirement|withdraw)$/;
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { parameters, requestBody, responses }] of Object.entries(operations)) {
        expect(responses['default']?.content, path).toHaveProperty(['application/problem+json', 'schema']);
        if (!path.startsWith('/v1/') || method === 'get') continue;
        expect(
          parameters?.map(({ name }) => name),
          path,
        ).toEqual(expect.arrayContaining(['Content-Digest', 'Signature-Input', 'Signature']));
        if (method === 'delete' || withoutBody.test(path)) continue;
        expect(
          Object.values(requestBody?.content ?? {}).map(({ schema }) => Object.keys(schema).length > 0),
          path,
        ).toEqual([true]);
      }
    }
  });
});
