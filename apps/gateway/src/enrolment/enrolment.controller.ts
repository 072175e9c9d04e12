import { Body, Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseId, Refusal } from '#kernel';
import { Enrolments, parseEnrolmentForm } from '#partners';
import { EnrolmentBrake } from './enrolment-brake.js';
import { viewRequest } from './request-view.js';

export const GATEWAY_DOOR = Symbol('GATEWAY_DOOR');

const BEARER = /^Bearer ([A-Za-z0-9_-]{43})$/;

/** An invited organisation enrols by itself (CONTRACT.md §1). The invitation's secret is the bearer token of both calls. */
@Controller('enrolments')
export class EnrolmentController {
  constructor(
    @Inject(Enrolments) private readonly enrolments: Enrolments,
    @Inject(EnrolmentBrake) private readonly brake: EnrolmentBrake,
    @Inject(GATEWAY_DOOR) private readonly gatewayOrigin: string,
  ) {}

  /** 202 with where the certificate will be; 200 and Idempotency-Hit where the same was asked before. */
  @Post()
  async enrol(@Req() call: FastifyRequest, @Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const { request, repeated } = await this.invited(call, (secret) => this.enrolments.enrol(secret, parseEnrolmentForm(body)));
    const view = viewRequest(request, this.gatewayOrigin);
    void reply
      .status(repeated ? 200 : 202)
      .header('location', `/enrolments/${view.id}`)
      .header('cache-control', 'no-store');
    if (repeated) void reply.header('idempotency-hit', 'true');
    if (request.state === 'REQUESTED') void reply.header('retry-after', '1');
    return view;
  }

  @Get(':id')
  async find(@Req() call: FastifyRequest, @Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const request = await this.invited(call, (secret) => this.enrolments.find(secret, uuidOf(id)));
    void reply.header('cache-control', 'no-store');
    if (request.state === 'REQUESTED') void reply.header('retry-after', '1');
    return viewRequest(request, this.gatewayOrigin);
  }

  /** A wrong secret is counted against the address that it came from. */
  private async invited<T>(call: FastifyRequest, work: (secret: string) => Promise<T>): Promise<T> {
    const secret = BEARER.exec(call.headers.authorization ?? '')?.[1];
    try {
      if (secret === undefined) {
        throw new Refusal('unauthenticated', 'invitation.missing', 'send your invitation as "authorization: Bearer <invitation>"', {
          field: 'authorization',
        });
      }
      return await work(secret);
    } catch (error) {
      if (error instanceof Refusal && error.code.startsWith('invitation.')) await this.brake.fail(call.socket.remoteAddress);
      throw error;
    }
  }
}

/** An id of no form is as unknown as somebody else's; the invitation is judged first either way. */
function uuidOf(id: string): string {
  try {
    return parseId('enr', id).uuid;
  } catch {
    return '00000000-0000-0000-0000-000000000000';
  }
}
