import type { TlsOptions } from 'node:tls';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { parseJsonStrict } from '#evidence';
import { type Clock, Refusal } from '#kernel';
import { Enrolments } from '#partners';
import { type Config, Database, pkiFolder } from '#platform';
import { createHttpApp } from '#platform/adapters/http-app';
import { TrustStore, trustPollMs } from '#platform/adapters/mtls-trust';
import { CLOCK } from '#platform/adapters/platform.module';
import { sendProblem } from '#platform/adapters/problem.filter';
import { checkHost } from '../channel/admit.js';
import { EnrolmentBrake } from './enrolment-brake.js';
import { EnrolmentModule } from './enrolment.module.js';

/** One form: a CSR, some keys and their proofs. */
const bodyBytesMax = 128 * 1024;

/**
 * The enrolment listener (CONTRACT.md §1): server-side TLS only, beside a gateway whose registry and database it uses, ready to listen on
 * ENROLMENT_PORT. Nothing here can sign a certificate.
 */
export async function createEnrolmentDoor(
  gateway: NestFastifyApplication,
  config: Config,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const trust = await TrustStore.open(pkiFolder(config), gateway.get<Clock>(CLOCK), logger);
  const brake = EnrolmentBrake.create(config, gateway.get(Database));
  const module = EnrolmentModule.register(gateway.get(Enrolments), brake, config.GATEWAY_ORIGIN);
  const https: TlsOptions = { ...trust.serverOptions(), requestCert: false, sessionIdContext: 'tallystick-enrolment' };
  const app = await createHttpApp(module, { logger, bodyBytesMax, https: { ...https, requireHostHeader: false } });
  const readJson = (_request: unknown, body: Buffer) => Promise.resolve().then(() => parseJsonStrict(body, 'body.malformed'));
  app.useBodyParser('application/json', { bodyLimit: bodyBytesMax }, readJson);
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  const { host } = new URL(enrolmentOrigin(config));
  fastify.addHook('onRequest', async (request, reply) => {
    try {
      checkHost(request, host);
      await brake.arrive(request.socket.remoteAddress);
    } catch (error) {
      if (error instanceof Refusal) logger.warn({ code: error.code, correlationId: request.id, peer: request.ip }, 'not enrolled');
      sendProblem(error, request, reply, logger);
      return reply;
    }
  });
  keepFresh(fastify, trust, brake);
  await app.init();
  return app;
}

function enrolmentOrigin(config: Config): string {
  return config.ENROLMENT_ORIGIN ?? `https://localhost:${config.ENROLMENT_PORT}`;
}

function keepFresh(fastify: FastifyInstance, trust: TrustStore, brake: EnrolmentBrake): void {
  const server = fastify.server as unknown as { setSecureContext(options: object): void };
  trust.onChange(() => server.setSecureContext(trust.secureContext()));
  const timer = setInterval(() => void trust.poll(), trustPollMs).unref();
  fastify.addHook('onClose', async () => {
    clearInterval(timer);
    brake.close();
  });
}
