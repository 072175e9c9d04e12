import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { plainText } from '#contract';
import type { Clock } from '#kernel';
import { networkOf } from '#platform';
import { CLOCK } from '#platform/adapters/platform.module';
import { permissionsOf, StaffDoor, type StaffMember } from '#staff';
import type { SignedInStaff } from '../api.js';
import { parseInput } from '../parse-input.js';
import { clientAddress, type ConsoleDoor } from './origin.js';
import { sessionCookie } from './session-cookie.js';
import { Allow, arrivalOf, Staff } from './session.guard.js';
import { CONSOLE_DOOR } from '../tokens.js';

const CREDENTIALS = z.strictObject({ name: plainText(100), password: z.string().min(1).max(1000) });

@Controller('api/session')
export class SessionController {
  constructor(
    @Inject(StaffDoor) private readonly staff: StaffDoor,
    @Inject(CONSOLE_DOOR) private readonly door: ConsoleDoor,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(200)
  @Allow('anyone')
  async signIn(@Body() body: unknown, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const credentials = parseInput(CREDENTIALS, body);
    const from = clientAddress(arrivalOf(request), this.door);
    const cookie = sessionCookie(this.door.https);
    const browser = { address: from && networkOf(from), heldToken: cookie.read(request.headers.cookie) };
    const { token, member } = await this.staff.signIn({ ...credentials, ...browser }, this.clock.now());
    void reply.header('set-cookie', cookie.set(token));
    return present(member);
  }

  @Get()
  @Allow('staff')
  who(@Staff() member: StaffMember): SignedInStaff {
    return present(member);
  }

  @Delete()
  @HttpCode(204)
  @Allow('staff')
  async signOut(@Staff() member: StaffMember, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    await this.staff.signOut(member, this.clock.now());
    void reply.header('set-cookie', sessionCookie(this.door.https).clear());
  }
}

function present(member: StaffMember): SignedInStaff {
  return { name: member.name, role: member.role, permissions: permissionsOf(member.role) };
}
