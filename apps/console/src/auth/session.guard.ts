import { type CanActivate, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { type Clock, Refusal } from '#kernel';
import { KeptOn } from '#platform';
import { HealthController } from '#platform/adapters/health.controller';
import { type Permission, requirePermission, type StaffDoor, type StaffMember } from '#staff';
import { type Arrival, type ConsoleDoor, requireOwnPage, requireWatcher } from './origin.js';
import { sessionCookie } from './session-cookie.js';

const ACCESS = 'console:access';

/** `anyone`: also without a session; `staff`: whoever is signed in. */
type Access = 'anyone' | 'staff' | Permission;

/** Every handler under /api says who may call it; one that does not is refused to all. */
export const Allow = (access: Access) => SetMetadata(ACCESS, access);

/** The signed-in person. */
export const Staff = createParamDecorator((_: unknown, context: ExecutionContext): StaffMember => staffOf(context));

/** A page that polls says so, so that leaving it open does not keep a session alive. */
const BACKGROUND_HEADER = 'x-tallystick-background';

const members = new KeptOn<object, StaffMember>();

/**
 * Own page, live session, sufficient role: in this order, for every handler. Which one was called is the router's to say, never the path as it
 * was sent: `/%61pi/overview` is `/api/overview`, too.
 */
export class SessionGuard implements CanActivate {
  private readonly reflector = new Reflector();

  constructor(
    private readonly staff: StaffDoor,
    private readonly door: ConsoleDoor,
    private readonly clock: Clock,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (context.getClass() === HealthController) {
      // Whether we live, anybody may ask; how we are, those who watch us.
      if (context.getHandler() !== HealthController.prototype.health) requireWatcher(arrivalOf(request), this.door);
      return true;
    }
    requireOwnPage(arrivalOf(request), this.door);
    const access = this.reflector.get<Access | undefined>(ACCESS, context.getHandler());
    if (access === 'anyone') return true;
    const token = sessionCookie(this.door.https).read(request.headers.cookie);
    const member = await this.staff.authenticate(token, this.clock.now(), request.headers[BACKGROUND_HEADER] === '1');
    if (access === undefined) throw new Refusal('forbidden', 'role.forbidden', 'nobody may call this');
    if (access !== 'staff') requirePermission(member, access);
    members.set(request, member);
    return true;
  }
}

export function arrivalOf(request: FastifyRequest): Arrival {
  const { localAddress, localPort, remoteAddress } = request.socket;
  return { method: request.method, headers: request.headers, localAddress, localPort, remoteAddress };
}

function staffOf(context: ExecutionContext): StaffMember {
  const member = members.get(context.switchToHttp().getRequest<object>());
  if (!member) throw new Error('a handler that asks for @Staff() must be marked @Allow(…)');
  return member;
}
