import { Body, Controller, Get, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { parseStrictly } from '#contract';
import { parseId } from '#kernel';
import { csrCharsMax, Enrolments, type Participant } from '#partners';
import type { Config } from '#platform';
import { CONFIG } from '#platform/adapters/platform.module';
import { Caller } from '../channel/caller.js';
import { viewRequest } from '../enrolment/request-view.js';

export const certificateRequest = z.strictObject({ csr: z.string().min(1).max(csrCharsMax) });

/** A participant renews its certificate itself, over the one it has; both stay good (CONTRACT.md §1). */
@ApiTags('participants')
@Controller('v1/participants/me/certificates')
export class PartnerCertificatesController {
  constructor(
    @Inject(Enrolments) private readonly enrolments: Enrolments,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Ask for your next certificate: { csr } in PEM; 202 with where it will be, 200 where the same was asked before',
  })
  async renew(@Caller() caller: Participant, @Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const { csr } = parseStrictly(certificateRequest, body, 'csr.malformed');
    const { request, repeated } = await this.enrolments.renew(caller.id, csr);
    const view = viewRequest(request, this.config.GATEWAY_ORIGIN);
    void reply.status(repeated ? 200 : 202).header('location', `/v1/participants/me/certificates/${view.id}`);
    if (repeated) void reply.header('idempotency-hit', 'true');
    return view;
  }

  @Get(':id')
  @ApiOperation({ summary: 'What became of your request; with the certificate and its authority once it is ISSUED' })
  async find(@Caller() caller: Participant, @Param('id') id: string): Promise<object> {
    return viewRequest(await this.enrolments.findOwn(caller.id, parseId('enr', id).uuid), this.config.GATEWAY_ORIGIN);
  }
}
