import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { addSubjects } from '#decisions/testing/subjects';
import { type JsonObject, type Signer, signJws } from '#evidence';
import { formatId } from '#kernel';
import { type Config, createLogger, createSigner, freePort, parseConfig } from '#platform';
import { type FreshDatabase, freshDatabase } from '#platform/testing/database';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { policyInput } from '#policies/testing/house-policy';
import { createDecisionApi } from '../../apps/decision-api/src/decision-api.js';

const ALL_SCOPES = 'decisions:evaluate decisions:reserve decisions:simulate standing:read subjects:write allowances:issue';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: JsonObject;
}

export interface HttpCall {
  readonly body?: unknown;
  /** Instead of a body, as text/plain. */
  readonly text?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string;
}

/** decision-api in this process, on a database of its own, as a service of the house sees it. */
export interface DecisionWorld {
  readonly fresh: FreshDatabase;
  readonly config: Config;
  readonly app: NestFastifyApplication;
  readonly methods: grpc.ServiceDefinition;
  newSubject(score?: number): Promise<string>;
  token(scope?: string, service?: string): string;
  http(method: string, url: string, call?: HttpCall): Promise<HttpAnswer>;
  /** Rejects with the `ServiceError`, its stable code as `problem` and `retryAfter`. */
  grpc(method: string, message: object, token?: string): Promise<JsonObject>;
  close(): Promise<void>;
}

const PROTO = 'apps/decision-api/proto/decision.proto';

export async function decisionWorld(
  settings: Readonly<Record<string, string>> = {},
  policy: unknown = policyInput(),
): Promise<DecisionWorld> {
  const fresh = await freshDatabase();
  await new PgPolicies(fresh.database).activate(policy, { author: 'ann', approver: 'ben' }, new Date());
  const home = mkdtempSync(path.join(tmpdir(), 'tallystick-decisions-'));
  mkdirSync(path.join(home, 'keys'));
  const grpcPort = await freePort();
  const own = { TALLYSTICK_ENV: 'test', TALLYSTICK_HOME: home, INTERNAL_TOKEN_ISSUER: 'test-issuer', DECISION_GRPC_PORT: String(grpcPort) };
  const config = parseConfig({ ...own, DATABASE_URL: fresh.url, ...settings });
  const issuer = createSigner(config, 'internal-issuer');
  const app = await createDecisionApi(config, createLogger('test', 'silent'));
  await app.listen(0, '127.0.0.1');
  const origin = await app.getUrl();
  const Service = serviceOf();
  const client = new Service(`127.0.0.1:${grpcPort}`, grpc.credentials.createInsecure());
  const token = (scope = ALL_SCOPES, service = 'checkout-service') => mint(issuer, scope, service);
  return {
    fresh,
    config,
    app,
    methods: Service.service,
    token,
    newSubject: async (score) => formatId('sub', (await addSubjects(fresh.database, 1, score))[0]!),
    http: (method, url, call = {}) => send(`${origin}${url}`, method, { token: token(), ...call }),
    grpc: (method, message, bearer = token()) => unary(client, method, message, bearer),
    close: async () => {
      client.close();
      await app.close();
      await fresh.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function serviceOf(): grpc.ServiceClientConstructor {
  const loaded = grpc.loadPackageDefinition(loadSync(PROTO, { longs: Number, enums: String, defaults: false }));
  return (loaded as never)['tallystick']['decision']['v1']['DecisionService'];
}

function mint(issuer: Signer, scope: string, service: string): string {
  const iat = Math.floor(Date.now() / 1000);
  return signJws('JWT', { iss: 'test-issuer', sub: service, aud: 'tallystick-decision-api', iat, exp: iat + 600, scope }, issuer);
}

async function send(url: string, method: string, { body, text: plain, key, token }: HttpCall): Promise<HttpAnswer> {
  const headers = {
    ...(token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(plain === undefined ? {} : { 'content-type': 'text/plain' }),
  };
  const sent = plain ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url, { method, headers, ...(sent === undefined ? {} : { body: sent }) });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as JsonObject) : { text } };
}

function unary(client: grpc.Client, method: string, message: object, token: string): Promise<JsonObject> {
  const metadata = new grpc.Metadata();
  if (token !== '') metadata.set('authorization', `Bearer ${token}`);
  const call = (client as unknown as Record<string, (...args: unknown[]) => void>)[method]!.bind(client);
  return new Promise((resolve, reject) => {
    call(message, metadata, (error: grpc.ServiceError | null, answer: JsonObject) => {
      if (!error) return resolve(answer);
      const [problem, retryAfter] = ['tallystick-code', 'retry-after'].map((name) => error.metadata.get(name)[0]);
      return reject(Object.assign(error, { problem, retryAfter }));
    });
  });
}

/** A RESERVE of ten yuan at the checkout, with one thing changed. */
export function reserveBody(subject: string, change: object = {}) {
  return { subject, service: 'checkout', amount: { amount: '10.00', currency: 'CNY' }, mode: 'RESERVE', ...change };
}

export const newKey = (): string => randomUUID();
