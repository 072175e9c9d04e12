import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ContentDigest, type HttpSigner, signResponse } from '#evidence';
import type { Clock } from '#kernel';
import type { Spool } from '#platform';
import { findCaller } from './caller.js';
import { isUnderV1, messageOf } from './request-signature.js';
import { type BodyLimit, spoolBody } from './spool-body.js';
import { whenOver } from './when-over.js';

/** The key that answers to this participant are signed with; undefined where the channel admitted nobody. */
export type ChooseSigner = (participant: string | undefined) => HttpSigner;

const ANSWER_LIMIT: BodyLimit = { bytesMax: Number.MAX_SAFE_INTEGER, code: 'answer.too_large' };

/** Signs every answer under /v1, refusals too, and binds it to its request (CONTRACT.md §2). */
export function signAnswers(app: NestFastifyApplication, origin: string, signer: ChooseSigner, clock: Clock, spool: Spool): void {
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  // Without a promise for what is at hand: an answer given in a hook must be out before the next hook asks whether it was.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (!isUnderV1(request)) return done(null, payload);
    if (payload instanceof Readable) {
      signStream(request, reply, payload).then((stream) => done(null, stream), done);
      return;
    }
    sign(request, reply, digestOf(bytesOf(payload)));
    done(null, payload);
  });

  function sign(request: FastifyRequest, reply: FastifyReply, digest: ContentDigest): void {
    const answer = { status: reply.statusCode, headers: {}, request: messageOf(request, origin) };
    void reply.headers({ ...signResponse(answer, digest, signer(findCaller(request)?.participant.id), clock.now()) });
  }

  /** The signature stands in the head: a streamed answer waits on disk until its digest is known. Who hangs up ends the gathering. */
  async function signStream(request: FastifyRequest, reply: FastifyReply, payload: Readable): Promise<Readable> {
    whenOver(request, reply, () => payload.destroy());
    const body = await spoolBody(payload, ['sha-256'], ANSWER_LIMIT, spool);
    whenOver(request, reply, () => void body.discard());
    void reply.header('content-length', String(body.sizeBytes));
    sign(request, reply, body.digests);
    return body.stream();
  }
}

function bytesOf(payload: unknown): Uint8Array {
  return Buffer.isBuffer(payload) ? payload : Buffer.from(typeof payload === 'string' ? payload : '');
}

function digestOf(bytes: Uint8Array): ContentDigest {
  return new Map([['sha-256', hash('sha256', bytes, 'buffer')]]);
}
