import { generateKeyPairSync, type JsonWebKey, type KeyObject, randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type JsonObject, parsePublicJwk, type Signer, signJws } from '#evidence';
import { ParticipantRegistry } from '#partners';
import { createLogger, createSigner, freePort } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { performance, rating, violation } from '#records/testing/records';
import { BankClient, DecisionClient, signRecord, type SigningKey, SubjectClient } from '#sdk';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';
import { type GatewayWorld, openGatewayWorld } from './gateway-world.js';

const DAY_MS = 86_400_000;
const SCOPES = [
  ...['decisions:evaluate', 'decisions:reserve', 'standing:read', 'subjects:write', 'appeals:write'],
  ...['disputes:read', 'disputes:write', 'consents:read', 'consents:write'],
].join(' ');

/** A bank as it is: the SDK, its keys, and nothing of ours. */
export interface SdkBank {
  readonly name: string;
  readonly client: BankClient;
  readonly key: SigningKey;
  readonly publicJwk: JsonWebKey;
}

/** Somebody with a link to each bank. */
export interface Person {
  readonly id: string;
  readonly refs: Readonly<Record<'bank-a' | 'bank-b', string>>;
}

/** Gateway and decision-api on one database, and everybody's clients: two banks, and a service that people use. */
export interface PeopleWorld {
  readonly gateway: GatewayWorld;
  readonly api: NestFastifyApplication;
  readonly apiUrl: string;
  readonly banks: Readonly<Record<'bank-a' | 'bank-b', SdkBank>>;
  readonly people: SubjectClient;
  readonly decisions: DecisionClient;
  token(service?: string): string;
  person(): Promise<Person>;
  /** Signs and sends a record of a bank; answers its jti. */
  report(bank: SdkBank, ref: string, body: object): Promise<string>;
  close(): Promise<void>;
}

export const RECORDS = {
  good: { kind: 'rating', rating: rating(930) },
  paid: { kind: 'performance', performance: { ...performance('11'), account: 'main' } },
  unpaid: { kind: 'performance', performance: { ...performance('97', '900.00', 'L6543'), account: 'second' } },
} as const;

/** A violation that just happened. */
export const violated = (severity: Parameters<typeof violation>[0]) => ({ kind: 'violation', violation: violation(severity, new Date()) });

export async function openPeopleWorld(): Promise<PeopleWorld> {
  const gateway = await openGatewayWorld();
  await new PgPolicies(gateway.fresh.database).activate(policyInput(), { author: 'ann', approver: 'ben' }, new Date());
  const issuer = createSigner(gateway.config, 'internal-issuer');
  const config = { ...gateway.config, DECISION_GRPC_PORT: await freePort() };
  const api = await createDecisionApi(config, createLogger('test', 'silent'));
  await api.listen(0, '127.0.0.1');
  const apiUrl = await api.getUrl();
  const banks = { 'bank-a': await bankOf(gateway, 'bank-a'), 'bank-b': await bankOf(gateway, 'bank-b') };
  const token = (service = 'wallet') => mint(gateway.config.INTERNAL_TOKEN_ISSUER, service, issuer);
  const people = new SubjectClient({ origin: apiUrl, token: () => token() });
  const decisions = new DecisionClient({ origin: apiUrl, token: () => token() });
  let seq = 0;
  return {
    gateway,
    api,
    apiUrl,
    banks,
    people,
    decisions,
    token,
    person: () => personOf(people),
    report: async ({ name, client, key }, ref, body) => {
      const record = recordOf(name, ref, ++seq, body);
      await client.submitRecord(await signRecord(record as never, key));
      return record.jti;
    },
    close: async () => {
      await Promise.all([people.close(), decisions.close(), ...Object.values(banks).map(({ client }) => client.close())]);
      await api.close();
      await gateway.close();
    },
  };
}

async function bankOf(gateway: GatewayWorld, name: 'bank-a' | 'bank-b'): Promise<SdkBank> {
  const { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { kid: `${name}-sdk`, alg: 'ES256' as const, privateKey };
  const publicJwk = publicKey.export({ format: 'jwk' });
  await gateway.participants.addKey(name, parsePublicJwk({ ...publicJwk, kid: key.kid, alg: key.alg }));
  await gateway.app.get(ParticipantRegistry).refresh();
  const { ca, cert, key: tlsKey } = gateway.client(name);
  const client = new BankClient({ origin: gateway.config.GATEWAY_ORIGIN, ca, cert, key: tlsKey, signingKey: key });
  return { name, client, key, publicJwk };
}

async function personOf(people: SubjectClient): Promise<Person> {
  const { id } = await people.register('INDIVIDUAL', randomUUID());
  const [a, b] = [await people.link(id, { participant: 'bank-a' }), await people.link(id, { participant: 'bank-b' })];
  return { id, refs: { 'bank-a': a.ref, 'bank-b': b.ref } };
}

function recordOf(iss: string, sub: string, seq: number, body: object) {
  const now = Date.now();
  return {
    iss,
    sub,
    jti: randomUUID().replace(/^(.{14})4/, '$17'),
    seq,
    iat: Math.floor(now / 1_000),
    asOf: new Date(now).toISOString(),
    validUntil: new Date(now + 90 * DAY_MS).toISOString(),
    ...body,
  };
}

function mint(iss: string, sub: string, issuer: Signer): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims: JsonObject = { iss, sub, aud: 'tallystick-decision-api', iat, exp: iat + 600, scope: SCOPES };
  return signJws('JWT', claims, issuer);
}
