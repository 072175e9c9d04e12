import type { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { parseJsonStrict } from '#evidence';
import { type Clock, systemClock } from '#kernel';
import { GatewayKeys, type NonceBook, ParticipantRegistry } from '#partners';
import { PgNonceBook } from '#partners/adapters/pg-nonce-book';
import { type Config, ConfigError, Database, pkiFolder, Spool } from '#platform';
import { limitAnswerTime } from '#platform/adapters/answer-time';
import { createHttpApp, REQUEST_TIMEOUTS, type RequestTimeouts } from '#platform/adapters/http-app';
import { TrustStore } from '#platform/adapters/mtls-trust';
import { bodyBytesMax } from './channel/body-limits.js';
import { limitBodyTime } from './channel/body-time.js';
import { CallBudget } from './channel/call-budget.js';
import { ConnectionLimit, type ConnectionLimits } from './channel/connection-limit.js';
import { SmallCalls } from './channel/give-way.js';
import { installChannel } from './channel/install-channel.js';
import { installSignatures } from './channel/install-signatures.js';
import { handshakeLimits } from './channel/limit-handshakes.js';
import { rememberBody } from './channel/request-evidence.js';
import { signAnswers } from './channel/sign-answers.js';
import { readWhole, WholeBody } from './channel/spool-body.js';
import { GatewayModule } from './gateway.module.js';
import { documentGateway } from './openapi.js';

/** Documents that are kept and judged byte by byte: they reach controllers as a Buffer. */
const DOCUMENT_TYPES = ['application/jose', 'application/octet-stream'];

/** Documents that may be large: they reach controllers as a stream, which measures and limits them itself. */
const STREAM_TYPES = ['application/xml', 'text/xml', 'application/x-ndjson'];

export interface GatewayOptions {
  readonly clock?: Clock;
  readonly callsPerSecondMax?: number;
  readonly handshakesPerSecondMax?: number;
  readonly connections?: ConnectionLimits;
  readonly timeouts?: RequestTimeouts;
  /** Tests put one here that forgets, to show that it is missed. */
  readonly nonces?: NonceBook;
}

/** The gateway, ready to listen. */
export async function createGateway(config: Config, logger: Logger, options: GatewayOptions = {}): Promise<NestFastifyApplication> {
  const clock = options.clock ?? systemClock;
  const trust = await TrustStore.open(pkiFolder(config), clock, logger);
  refuseDevelopmentAuthorities(config, trust);
  const timeouts = options.timeouts ?? REQUEST_TIMEOUTS;
  const app = await createHttpApp(GatewayModule.register(config, logger), {
    // A request without Host is refused by `checkHost`, in our words.
    ...{ logger, bodyBytesMax, https: { ...trust.serverOptions(), requireHostHeader: false } },
    timeouts: { ...timeouts, requestMs: 0 },
  });
  limitBodyTime(app, timeouts.requestMs);
  readBodies(app);
  const channel = { host: new URL(config.GATEWAY_ORIGIN).host, trust, registry: app.get(ParticipantRegistry), clock };
  const callsPerSecondMax = options.callsPerSecondMax ?? config.PARTNER_CALLS_PER_SECOND;
  const budget = CallBudget.create(config, app.get(Database), callsPerSecondMax, logger);
  const handshakes = handshakeLimits(options.handshakesPerSecondMax ?? config.HANDSHAKES_PER_SECOND);
  const connections = new ConnectionLimit(options.connections);
  installChannel(app, channel, { budget, connections, handshakes, smallCalls: app.get(SmallCalls) }, logger);
  const origin = new URL(config.GATEWAY_ORIGIN).origin;
  const nonces = options.nonces ?? new PgNonceBook(app.get(Database));
  const spool = app.get(Spool);
  const required = config.REQUEST_SIGNATURES === 'required';
  installSignatures(app, { origin, registry: channel.registry, nonces, clock, required, spool }, logger);
  const keys = app.get(GatewayKeys);
  signAnswers(app, origin, (participant) => keys.keyFor('response', participant), clock, spool);
  limitAnswerTime(app);
  documentGateway(app);
  await app.init();
  return app;
}

/** Their private keys lie in the same folder. */
function refuseDevelopmentAuthorities({ TALLYSTICK_ENV }: Config, { authorities }: TrustStore): void {
  const made = authorities.filter(({ name }) => name.startsWith('development-')).map(({ name }) => name);
  if (TALLYSTICK_ENV === 'production' && made.length > 0)
    throw new ConfigError(`PKI_DIR: ${made.join(' and ')} are development authorities, refused in production`);
}

function readBodies(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addContentTypeParser(DOCUMENT_TYPES, (_request: unknown, body: Readable, done: (error: Error | null, body?: Buffer) => void) => {
    if (body instanceof WholeBody) return done(null, body.bytes);
    readWhole(body, { bytesMax: bodyBytesMax, code: 'body.too_large' }).then((bytes) => done(null, bytes), done);
  });
  fastify.addContentTypeParser(STREAM_TYPES, (_request: unknown, body: unknown, done: (error: null, body: unknown) => void) =>
    done(null, body),
  );
  const readJson = (request: object, body: Buffer) => {
    rememberBody(request, body);
    return Promise.resolve().then(() => parseJsonStrict(body, 'body.malformed'));
  };
  app.useBodyParser('application/json', { bodyLimit: bodyBytesMax }, readJson);
}
