import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { explainJws, explainSteps, formatContentDigest, type JwsExplanation, type SignatureStep } from '#evidence';
import { Refusal } from '#kernel';
import { type Participant, ParticipantRegistry } from '#partners';
import { type Config } from '#platform';
import { CONFIG } from '#platform/adapters/platform.module';
import { Caller } from './channel/caller.js';
import { findTrial } from './channel/install-signatures.js';
import { findSignatureBase } from './channel/request-signature.js';

const TYP = 'credit-record+jwt';

interface RequestExplanation {
  readonly accepted: boolean;
  readonly steps: readonly SignatureStep[];
  /** What we verified the signature over: compare it with yours. */
  readonly signatureBase?: string;
  /** Of the body as we received it. */
  readonly contentDigest?: string;
}

/** For integration engineers: says step by step what we make of a signature. Nothing is stored but the nonce. */
@ApiTags('security')
@Controller('v1/security')
export class SecurityController {
  private readonly origin: string;

  constructor(
    @Inject(ParticipantRegistry) private readonly registry: ParticipantRegistry,
    @Inject(CONFIG) config: Config,
  ) {
    this.origin = new URL(config.GATEWAY_ORIGIN).origin;
  }

  @Post('echo')
  @HttpCode(200)
  @ApiConsumes('application/jose')
  @ApiOperation({
    summary: 'Try a JWS and the signature of the request that carries it: each step of the verification, and which one failed and why',
    description:
      'Unsigned and wrongly signed requests are welcome here. `request` tells of the HTTP message signature, the rest of the JWS.',
  })
  async echo(
    @Caller() caller: Participant,
    @Req() request: FastifyRequest,
    @Body() body: unknown,
  ): Promise<JwsExplanation & { request: RequestExplanation }> {
    if (!Buffer.isBuffer(body)) throw new Refusal('unsupported_media', 'media_type.unsupported', 'send the JWS as application/jose');
    const jws = await explainJws(body, TYP, (kid) => this.registry.findKey(caller.id, kid));
    return { ...jws, request: this.explainRequest(request) };
  }

  private explainRequest(request: FastifyRequest): RequestExplanation {
    const { refusal, computed } = findTrial(request) ?? {};
    const signatureBase = findSignatureBase(request, this.origin);
    return {
      accepted: refusal === undefined,
      steps: explainSteps(refusal),
      ...(signatureBase === undefined ? {} : { signatureBase }),
      ...(computed ? { contentDigest: formatContentDigest(computed) } : {}),
    };
  }
}
