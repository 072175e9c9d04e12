import type { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { ContentDigest, DigestAlgorithm } from '#evidence';
import { Refusal } from '#kernel';
import { KeptOn } from '#platform';
import { sendProblem } from '#platform/adapters/problem.filter';
import { bodyLimitOf } from './body-limits.js';
import { findCaller } from './caller.js';
import { refusedTotal } from './refused-total.js';
import { ECHO_ROUTE, isUnderV1, judgeBody, judgeHead, routeOf, type SignatureRules, type SignedHead } from './request-signature.js';
import { memoryBytesMax, spoolBody, type SpooledBody, takeSmallBody } from './spool-body.js';
import { whenOver } from './when-over.js';

/** How the signature of a request to the echo fared: it is told, not refused. */
export interface SignatureTrial {
  readonly refusal?: Refusal;
  /** The digests of the body received. */
  readonly computed?: ContentDigest;
}

const heads = new KeptOn<FastifyRequest, SignedHead>();
const trials = new KeptOn<FastifyRequest, SignatureTrial>();

/** The verified signature of a request; undefined where none is asked for and none was sent. */
export function findSignedHead(request: FastifyRequest): SignedHead | undefined {
  return heads.get(request);
}

/** What became of the signature of a request to the echo. */
export function findTrial(request: FastifyRequest): SignatureTrial | undefined {
  return trials.get(request);
}

/**
 * Puts signatures between the channel and the routes: headers are judged before a byte of the body is read, the body waits until its digest
 * is found right and the nonce is spent, and only then a parser or a controller sees it. `POST /v1/records` spends its nonce with its effect.
 */
export function installSignatures(app: NestFastifyApplication, rules: SignatureRules, logger: Logger): void {
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    if (error instanceof Refusal) {
      refusedTotal.inc({ code: error.code });
      logger.warn({ code: error.code, correlationId: request.id, participant: findCaller(request)?.participant.id }, 'not accepted');
    }
    sendProblem(error, request, reply, logger);
    return reply;
  };
  fastify.addHook('onRequest', async (request, reply) => {
    const caller = findCaller(request);
    if (!caller || !isUnderV1(request) || reply.sent) return;
    try {
      const head = await judgeHead(request, caller.participant.id, rules);
      if (head) heads.set(request, head);
    } catch (error) {
      if (routeOf(request) !== ECHO_ROUTE || !(error instanceof Refusal)) return refuse(error, request, reply);
      trials.set(request, { refusal: error });
    }
  });
  fastify.addHook('preParsing', async (request, reply, payload) => {
    const head = heads.get(request);
    const isTrial = routeOf(request) === ECHO_ROUTE;
    if (!(head?.digest ?? isTrial)) return payload;
    try {
      return await takeBody(payload as Readable, request, reply, isTrial);
    } catch (error) {
      payload.resume();
      if (error instanceof Refusal && error.kind === 'too_large') void reply.header('connection', 'close');
      return refuse(error, request, reply) as never;
    }
  });

  async function takeBody(payload: Readable, request: FastifyRequest, reply: FastifyReply, isTrial: boolean): Promise<Readable> {
    const head = heads.get(request);
    const algorithms: readonly DigestAlgorithm[] = head?.digest ? [...head.digest.keys()] : ['sha-256'];
    const body = await takeWhole(payload, request, algorithms);
    whenOver(request, reply, () => void body.discard());
    const refusal = await judge(request, body.digests);
    if (isTrial) trials.set(request, { computed: body.digests, ...refusal });
    else if (refusal) throw refusal.refusal;
    return body.stream();
  }

  /** Whoever says that it is small is held to it by Node; who says nothing may send anything. */
  function takeWhole(payload: Readable, request: FastifyRequest, algorithms: readonly DigestAlgorithm[]): Promise<SpooledBody> {
    const limit = bodyLimitOf(routeOf(request));
    const isSmall = Number(request.headers['content-length'] ?? Infinity) <= memoryBytesMax;
    return isSmall ? takeSmallBody(payload, algorithms, limit) : spoolBody(payload, algorithms, limit, rules.spool);
  }

  async function judge(request: FastifyRequest, computed: ContentDigest): Promise<{ refusal: Refusal } | undefined> {
    const head = heads.get(request);
    if (!head) return trials.get(request) as { refusal: Refusal } | undefined;
    try {
      await judgeBody(head, computed, request);
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return { refusal: error };
      throw error;
    }
  }
}
