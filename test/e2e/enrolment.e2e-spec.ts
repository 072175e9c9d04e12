import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import https from 'node:https';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEd25519Signer, type Signer } from '#evidence';
import { ToyBank } from '#sdk';
import { type BankKey, type EnrolmentWorld, formOf, openEnrolmentWorld } from '../world/enrolment-world.js';
import type { Identity } from '../world/gateway-world.js';

const PROMISE_MS = 10_000;
let world: EnrolmentWorld;
beforeAll(async () => void (world = await openEnrolmentWorld()));
afterAll(() => world.close());

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const newSigner = (kid: string): Signer =>
  createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });
const codeOf = (answer: { body: unknown }) => (answer.body as { code: string }).code;

/** The whole way of a bank: invitation, form, issuer, certificate. */
async function enrol(
  participant: string,
  bankKey: BankKey = world.makeKey(P256),
  more: object = {},
  activate = true,
): Promise<Identity & { signer: Signer }> {
  const invitation = await world.invite({ participant, activate });
  const signer = newSigner(`${participant}-1`);
  const asked = await world
    .call('post', '/enrolments', invitation)
    .send(formOf(invitation, bankKey, [signer], more))
    .expect(202);
  expect(await world.issue()).toBe(1);
  const { body } = (await world.call('get', asked.headers['location']!, invitation).expect(200)) as { body: { certificate: string } };
  const identity = { ca: world.gateway.pki('server/ca.pem'), cert: body.certificate, key: bankKey.key, signer };
  // The issuer is another process: the gateway hears of its work within a second.
  await vi.waitFor(async () => expect((await world.gateway.call(identity)).status).not.toBe(401), PROMISE_MS);
  return identity;
}

describe('a toy bank of the SDK', () => {
  it('enrols by an invitation and speaks with the gateway; the invitation is good once', async () => {
    const place = { enrolment: world.origin, gateway: world.gateway.config.GATEWAY_ORIGIN, ca: world.gateway.pki('server/ca.pem') };
    const invitation = await world.invite({ participant: 'toy-bank' });
    const enrolling = ToyBank.enrol({ ...place, invitation });
    await vi.waitFor(async () => expect(await world.issue()).toBe(1), PROMISE_MS);
    const bank = await enrolling;
    await vi.waitFor(
      async () => expect(await bank.client.me()).toMatchObject({ id: 'toy-bank', state: 'ACTIVE', missing: [] }),
      PROMISE_MS,
    );
    await expect(bank.submit(bank.rating('lnk_001m81qar2tfy389qxgyaq1tgwb'))).rejects.toMatchObject({ code: 'link.unknown' });
    await expect(bank.submit(bank.rating('lnk_001m81qar2tfy389qxgyaq1tgwb', 9_999))).rejects.toMatchObject({ field: '/rating/score' });
    await bank.close();
    await expect(ToyBank.enrol({ ...place, invitation })).rejects.toMatchObject({ code: 'enrolment.conflict' });
    await expect(ToyBank.enrol({ ...place, invitation: `${invitation.slice(0, -1)}_` })).rejects.toMatchObject({
      code: 'invitation.invalid',
    });
  });
});

describe('the enrolment listener', () => {
  it.each([
    ['RSA 2048', ['-newkey', 'rsa:2048']],
    ['P-256', P256],
    ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384']],
  ])('enrols a bank with an %s key, and the certificate opens the partners’ door', async (what, options) => {
    const id = `bank-${what.toLowerCase().replace(/[^a-z0-9]/g, '')}`;
    const identity = await enrol(id, world.makeKey(options, '/O=Evil/CN=bank-a'));
    const leaf = new X509Certificate(identity.cert!);
    expect([leaf.subject, leaf.subjectAltName]).toEqual([`CN=${id}`, `URI:urn:tallystick:participant:${id}`]);
    const { body } = await world.gateway.call(identity).expect(200);
    expect(body).toMatchObject({ id, state: 'ACTIVE', missing: [], gaps: [], keys: [{ kid: `${id}-1`, state: 'ACTIVE' }] });
  });

  it('answers the same form alike, another with 409, and waits for the operator where it should', async () => {
    const invitation = await world.invite({ participant: 'bank-twice', activate: false });
    const form = formOf(invitation, world.makeKey(P256), [newSigner('k1')]);
    const post = (body: object) => world.call('post', '/enrolments', invitation).send(body);
    const first = await post(form).expect(202);
    expect((await post(form).expect(200)).headers['idempotency-hit']).toBe('true');
    expect(codeOf(await post(formOf(invitation, world.makeKey(P256), [newSigner('k1')])).expect(409))).toBe('enrolment.conflict');
    expect((await world.call('get', first.headers['location']!, invitation)).body).toMatchObject({ state: 'REQUESTED' });
    await world.issue();
    expect((await post(form).expect(200)).body).toMatchObject({ state: 'ISSUED', participant: 'bank-twice' });
  });

  it('lets a bank that is not activated yet look after itself and read the rules, and do nothing else', async () => {
    const identity = await enrol('bank-waiting', world.makeKey(P256), {}, false);
    const statusOf = async (path: string) => (await world.gateway.call(identity, path)).status;
    expect((await world.gateway.call(identity).expect(200)).body).toMatchObject({ id: 'bank-waiting', state: 'ENROLLED' });
    const open = ['/v1/participants/me/keys/bank-waiting-1', '/v1/schemas', '/.well-known/jwks.json', '/docs-json'];
    expect(await Promise.all(open.map(statusOf))).toEqual(open.map(() => 200));
    const closed = [
      '/v1/consents',
      '/v1/disputes',
      '/v1/webhooks',
      '/v1/records/x',
      '/v1/participants/menu',
      '/v1/schemas/x/y',
      '/v1',
      '/',
    ];
    for (const path of closed) {
      const answer = await world.gateway.call(identity, path);
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 403, 'participant.not_active']);
    }
  });

  it.each([
    ['RSA of 1024 bits', 'csr.key_unsuitable', () => world.makeKey(['-newkey', 'rsa:1024'])],
    ['another curve', 'csr.key_unsuitable', () => world.makeKey(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'])],
    ['a weak hash', 'csr.signature', () => world.makeKey(['-newkey', 'rsa:2048', '-sha1'])],
    [
      'another participant’s name',
      'csr.identity',
      () => world.makeKey([...P256, '-addext', 'subjectAltName=URI:urn:tallystick:participant:bank-a']),
    ],
    ['an authority', 'csr.usage', () => world.makeKey([...P256, '-addext', 'basicConstraints=CA:TRUE'])],
    ['a signature by another key', 'csr.signature', () => ({ ...world.makeKey(P256), csr: withoutPossession() })],
    ['a key of a kind that nobody knows', 'csr.malformed', () => ({ ...world.makeKey(P256), csr: ofUnknownKind() })],
  ])('refuses a CSR with %s as %s', async (_what, code, make) => {
    const invitation = await world.invite({ participant: 'bank-wrong' });
    const answer = await world.call('post', '/enrolments', invitation).send(formOf(invitation, make(), [newSigner('k1')]));
    expect([answer.status, codeOf(answer)]).toEqual([422, code]);
  });

  /** A CSR whose last signature byte was changed. */
  const withoutPossession = () => changedCsr((der) => void (der[der.length - 1]! ^= 1));
  /** One whose public key says that it is of an unknown algorithm: nothing can decode it. */
  const ofUnknownKind = () => changedCsr((der) => void (der[der.indexOf(EC_PUBLIC_KEY) + EC_PUBLIC_KEY.length - 1] = 0x7f));
  const EC_PUBLIC_KEY = Buffer.from('06072a8648ce3d0201', 'hex');

  function changedCsr(change: (der: Buffer) => void): string {
    const lines = world.makeKey(P256).csr.trim().split('\n');
    const der = Buffer.from(lines.slice(1, -1).join(''), 'base64');
    change(der);
    return `${lines[0]}\n${der.toString('base64')}\n${lines.at(-1)}\n`;
  }

  it('knows one call, one host, and one answer to every wrong invitation', async () => {
    expect((await world.call('get', '/v1/participants/me')).status).toBe(404);
    expect(await statusFor('evil.example')).toBe(421);
    const guess = 'A'.repeat(43);
    const answers = [
      await world.call('post', '/enrolments', guess).send(formOf(guess, world.makeKey(P256), [newSigner('k1')])),
      await world.call('get', '/enrolments/enr_00000000000000000000000000', guess),
    ];
    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual(answers.map(() => [401, 'invitation.invalid']));
    expect(codeOf(await world.call('post', '/enrolments').send({}).expect(401))).toBe('invitation.missing');
  });
});

/** What a call for another host is answered. */
function statusFor(host: string): Promise<number> {
  const options = { method: 'POST', servername: 'localhost', ca: world.gateway.pki('server/ca.pem'), headers: { host } };
  return new Promise((resolve, reject) => {
    https
      .request(`${world.origin}/enrolments`, options, (answer) => resolve(answer.resume().statusCode!))
      .on('error', reject)
      .end();
  });
}

describe('an allow-list', () => {
  it('is enforced on every call, and holds the addresses that the bank gave', async () => {
    const near = await enrol('bank-near', world.makeKey(P256), { addresses: ['127.0.0.0/8', '2001:db8::1'] });
    expect((await world.gateway.call(near).expect(200)).body).toMatchObject({ addresses: ['127.0.0.0/8', '2001:db8::1/128'] });
    const far = await enrol('bank-far', world.makeKey(P256), { addresses: ['203.0.113.0/24'] });
    expect(codeOf(await world.gateway.call(far).expect(403))).toBe('address.not_allowed');
  });
});

describe('a certificate', () => {
  it('is renewed by the bank itself over a connection that stays open; both stay good', async () => {
    const first = await enrol('bank-renew');
    const agent = new https.Agent({ ...first, keepAlive: true, maxSockets: 1 });
    const sockets = new Set<unknown>();
    const me = () =>
      new Promise<number>((resolve, reject) => {
        const sent = https.get({ host: 'localhost', port: world.gateway.port, path: '/v1/participants/me', agent }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode!));
        });
        sent.on('socket', (socket) => sockets.add(socket)).on('error', reject);
      });
    expect(await me()).toBe(200);
    const next = world.makeKey(['-newkey', 'rsa:2048']);
    const ask = () => world.gateway.call(first, '/v1/participants/me/certificates', 'post').send({ csr: next.csr });
    const asked = await ask().expect(202);
    expect((await ask().expect(200)).headers['idempotency-hit']).toBe('true');
    await world.issue();
    const { body } = (await world.gateway.call(first, asked.headers['location']).expect(200)) as { body: { certificate: string } };
    const renewed = { ...first, cert: body.certificate, key: next.key };
    await vi.waitFor(async () => {
      const { body: seen } = (await world.gateway.call(renewed).expect(200)) as { body: { certificates: { state: string }[] } };
      expect(seen.certificates.map(({ state }) => state)).toEqual(['ACTIVE', 'ACTIVE']);
    }, PROMISE_MS);
    expect(await me()).toBe(200);
    expect(sockets.size).toBe(1);
    agent.destroy();
    const other = world.gateway.client('bank-b');
    const theirs = await world.gateway.call(other, asked.headers['location']);
    const invented = await world.gateway.call(other, asked.headers['location']!.slice(0, -2) + '00');
    expect([theirs.status, codeOf(theirs)]).toEqual([invented.status, codeOf(invented)]);
  });
});

// The last one: it spends what this address may guess.
describe('whoever guesses invitations', () => {
  it('is slowed down, also with a good one', async () => {
    const good = await world.invite({ participant: 'bank-late' });
    const guess = () => world.call('get', '/enrolments/enr_00000000000000000000000000', 'B'.repeat(43));
    for (let n = 0; n < 10; n++) await guess();
    const braked = await guess();
    expect([braked.status, codeOf(braked)]).toEqual([429, 'enrolment.too_many']);
    expect(Number(braked.headers['retry-after'])).toBeGreaterThan(0);
    expect((await world.call('post', '/enrolments', good).send({})).status).toBe(429);
  });
});
