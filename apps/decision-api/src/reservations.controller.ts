import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { parseReleaseRequest, parseSettlementRequest, type ReservationAnswer } from '#contract';
import { type ReservationStore, reservationUnknown } from '#decisions';
import { PgReservations } from '#decisions/adapters/pg-reservations';
import { parseId } from '#kernel';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';
import { DecisionDoor, reservationAnswer } from './decision-door.js';

/** What becomes of a hold. Every step may be repeated; a refund needs a key, because two refunds of one amount may both be meant. */
@ApiTags('reservations')
@Controller('v1/reservations')
@Scopes('decisions:reserve')
export class ReservationsController {
  constructor(
    @Inject(DecisionDoor) private readonly door: DecisionDoor,
    @Inject(PgReservations) private readonly reservations: ReservationStore,
  ) {}

  @Get(':id')
  async find(@Caller() caller: ServiceCaller, @Param('id') id: string): Promise<ReservationAnswer> {
    const reservation = await this.reservations.find(parseId('rsv', id));
    if (!reservation || reservation.caller !== caller.name) throw reservationUnknown();
    return reservationAnswer(reservation);
  }

  @Post(':id/confirm')
  @HttpCode(200)
  async confirm(
    @Caller() caller: ServiceCaller,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReservationAnswer> {
    return tell(reply, await this.door.settle(caller, id, { kind: 'confirm', ...parseSettlementRequest(body) }, key));
  }

  @Post(':id/release')
  @HttpCode(200)
  async release(
    @Caller() caller: ServiceCaller,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReservationAnswer> {
    return tell(reply, await this.door.settle(caller, id, { kind: 'release', ...parseReleaseRequest(body) }, key));
  }

  @Post(':id/refund')
  @HttpCode(200)
  async refund(
    @Caller() caller: ServiceCaller,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReservationAnswer> {
    return tell(reply, await this.door.settle(caller, id, { kind: 'refund', ...parseSettlementRequest(body) }, key));
  }
}

function tell(reply: FastifyReply, { answer, replayed }: { answer: ReservationAnswer; replayed: boolean }): ReservationAnswer {
  if (replayed) void reply.header('idempotency-hit', 'true');
  return answer;
}
