import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { type JsonObject, signJws } from '#evidence';
import { formatId, systemClock } from '#kernel';
import { camt053 } from '#reconciliation/testing/samples';
import { jtiOf, rating, recordHead } from '#records/testing/records';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { makeRsaCsr, newRsaKey } from '../../certs/rsa-authority.js';
import type { GatewayWorld } from './gateway-world.js';

/** Names of things that bank A has, each with one of the same form that nobody has. */
export type OwnedIds = Readonly<
  Record<'jti' | 'batch' | 'reconciliation' | 'certificate' | 'kid' | 'consent' | 'ref' | 'event' | 'dispute', IdPair>
>;

interface IdPair {
  readonly theirs: string;
  readonly nobodys: string;
}

/** How a route with an id is called: the id, and what is sent with it. */
export interface ForeignCall {
  readonly id: keyof OwnedIds;
  readonly query?: (id: string, ids: OwnedIds) => string;
  readonly type?: string;
  readonly body?: string;
  /** Where the owner itself would not be answered by a success. */
  readonly ownerRefused?: boolean;
}

/** A route whose parameter names nothing of one participant alone, and why. */
export interface NobodysOwn {
  readonly shared: string;
}

const read = (id: keyof OwnedIds): ForeignCall => ({ id });
const act = (id: keyof OwnedIds, body = '{}', type = 'application/json'): ForeignCall => ({ id, body, type });

/** One row for each route of the gateway that has a parameter: a route without a row fails the test. */
export const FOREIGN_CALLS: Readonly<Record<string, ForeignCall | NobodysOwn>> = {
  'GET /v1/records/{jti}': read('jti'),
  'GET /v1/records/{jti}/receipt': read('jti'),
  'GET /v1/records/{jti}/evidence': read('jti'),
  'GET /v1/record-batches/{id}': read('batch'),
  'GET /v1/record-batches/{id}/results': read('batch'),
  'GET /v1/record-batches/{id}/errors': read('batch'),
  'GET /v1/reconciliations/{id}': read('reconciliation'),
  'GET /v1/participants/me/certificates/{id}': read('certificate'),
  'GET /v1/participants/me/keys/{kid}': read('kid'),
  'GET /v1/participants/me/keys/{kid}/suspect-records': { id: 'kid', ownerRefused: true },
  'POST /v1/participants/me/keys/{kid}/proofs': act('kid', 'a.b.c', 'application/jose'),
  'POST /v1/participants/me/keys/{kid}/activation': act('kid'),
  'POST /v1/participants/me/keys/{kid}/retirement': act('kid'),
  'POST /v1/participants/me/keys/{kid}/compromise': act('kid'),
  'GET /v1/participants/me/gateway-keys/{kid}/check': { shared: 'keys of ours, the same for every participant' },
  'POST /v1/participants/me/gateway-keys/{kid}/check': { shared: 'keys of ours, the same for every participant' },
  'GET /v1/schemas/{kind}': { shared: 'published' },
  'GET /v1/status-lists/{shard}/{list}': { shared: 'published' },
  'GET /v1/record-sets/{set}': { shared: 'each participant has its own set of this name' },
  'POST /v1/record-sets/{set}/reconcile': { shared: 'each participant has its own set of this name' },
  'POST /v1/record-sets/{set}/records': { shared: 'each participant has its own set of this name' },
  'POST /v1/record-sets/{set}/statements': { shared: 'each participant has its own set of this name' },
  'GET /v1/record-sets/{set}/statements': { shared: 'each participant has its own set of this name' },
  'GET /v1/consents/{id}': read('consent'),
  'GET /v1/consents/{id}/versions': read('consent'),
  'GET /v1/consents/{id}/uses': read('consent'),
  'POST /v1/consents/{id}/withdraw': act('consent'),
  'POST /v1/records/{jti}/disputes': act('jti', '{"code":"INACCURATE"}'),
  'GET /v1/disputes/{id}': read('dispute'),
  'POST /v1/disputes/{id}/answer': act('dispute', `{"answer":"VERIFIED","evidenceDigest":"${'ab'.repeat(32)}"}`),
  'GET /v1/subjects/{ref}/rating': { id: 'ref', query: (_id, { consent }) => `?consent=${consent.theirs}`, ownerRefused: true },
};

/** Where ids are said elsewhere than in the path. */
export const SAID_ELSEWHERE: Readonly<Record<string, { readonly id: keyof OwnedIds; readonly body?: (id: string) => object }>> = {
  'GET /v1/consents?sub=': { id: 'ref' },
  'GET /v1/consents?after=': { id: 'consent' },
  'POST /v1/consents': { id: 'ref', body: consentFor },
  'POST /v1/events/poll': { id: 'event', body: (event) => ({ ack: [event], maxEvents: 0, returnImmediately: true }) },
  'POST /v1/webhooks/dead-letters/resend': { id: 'event', body: (event) => ({ events: [event] }) },
};

/** Gives bank A one of each. */
export async function ownOneOfEach(world: GatewayWorld): Promise<OwnedIds> {
  const subjects = new Subjects(new PgExchange(world.fresh.database), nodeClerk, systemClock);
  const { id } = await subjects.register({ caller: 'test', key: 'owned', kind: 'INDIVIDUAL' });
  const { ref } = (await subjects.link(id, { participant: 'bank-a' })).link;
  const a = world.client('bank-a');
  const post = (url: string, type: string, body: string | Buffer) => world.call(a, url, 'post').set('content-type', type).send(body);
  const line = (n: number) => {
    const record = { ...recordHead('bank-a', ref, n, new Date()), kind: 'rating', rating: rating(800) };
    return signJws('credit-record+jwt', record as JsonObject, world.signers['bank-a']);
  };
  await post('/v1/records', 'application/jose', line(1)).expect(201);
  const batch = await post('/v1/record-batches', 'application/x-ndjson', line(2)).expect(202);
  const statement = await post('/v1/statements', 'application/xml', Buffer.from(camt053([{ endToEndId: 'X' }]))).expect(202);
  const csr = makeRsaCsr(newRsaKey(2_048), 'bank-a', 'urn:tallystick:participant:bank-a');
  const certificate = await post('/v1/participants/me/certificates', 'application/json', JSON.stringify({ csr })).expect(202);
  const x = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x!;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x, kid: 'bank-a-next', alg: 'EdDSA' };
  await post('/v1/participants/me/keys', 'application/json', JSON.stringify({ jwk })).expect(201);
  const consent = await world
    .call(a, '/v1/consents', 'post')
    .set({ 'content-type': 'application/json', 'idempotency-key': randomUUID() })
    .send(JSON.stringify(consentFor(formatId('lnk', ref))))
    .expect(201);
  const dispute = await post(`/v1/records/${jtiOf(1)}/disputes`, 'application/json', '{"code":"INACCURATE"}').expect(201);
  const [event] = await world.fresh.database.query<{ event: string }>(
    `SELECT id AS event FROM events WHERE participant_id = 'bank-a' LIMIT 1`,
  );
  return {
    event: { theirs: event!.event, nobodys: randomUUID() },
    jti: { theirs: jtiOf(1), nobodys: jtiOf(0xffff) },
    batch: like(batch),
    reconciliation: like(statement),
    certificate: like(certificate),
    kid: { theirs: 'bank-a-next', nobodys: 'bank-a-none' },
    consent: like(consent),
    dispute: like(dispute),
    ref: like({ body: { id: formatId('lnk', ref) } }),
  };
}

function consentFor(sub: string): object {
  return {
    sub,
    purpose: 'CREDIT_APPLICATION',
    claims: ['score'],
    fetch: { type: 'ONETIME' },
    dataLifeSeconds: 3_600,
    expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
  };
}

/** The id of an answer, and another with its last character changed. */
function like({ body }: Pick<Response, 'body'>): IdPair {
  const { id } = body as { id: string };
  return { theirs: id, nobodys: id.slice(0, -1) + (id.endsWith('0') ? '1' : '0') };
}
