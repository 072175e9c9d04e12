import type { ExecutionContext } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import type { Clock } from '#kernel';
import type { StaffDoor, StaffMember } from '#staff';
import { Allow, SessionGuard } from './session.guard.js';

const member = { id: 'a1', name: 'ada', role: 'compliance', sessionId: 's1' } as unknown as StaffMember;

class Handlers {
  undeclared(): void {}
  forStaff(): void {}
}
Allow('staff')(Handlers.prototype, 'forStaff', Object.getOwnPropertyDescriptor(Handlers.prototype, 'forStaff')!);

function ask(handler: () => void): Promise<boolean> {
  const staff = { authenticate: () => Promise.resolve(member) } as unknown as StaffDoor;
  const clock: Clock = { now: () => new Date(0) };
  const guard = new SessionGuard(staff, { https: false, origin: undefined, proxies: [] }, clock);
  const request = {
    method: 'GET',
    headers: { host: 'localhost:7090' },
    socket: { localAddress: '127.0.0.1', localPort: 7090, remoteAddress: '127.0.0.1' },
  };
  const context = { switchToHttp: () => ({ getRequest: () => request }), getClass: () => Handlers, getHandler: () => handler };
  return guard.canActivate(context as unknown as ExecutionContext);
}

describe('a handler of the console', () => {
  it('that does not say who may call it is refused also to whoever is signed in', async () => {
    await expect(ask(Handlers.prototype.undeclared)).rejects.toMatchObject({ code: 'role.forbidden', kind: 'forbidden' });
  });

  it('that is for staff is open to them', async () => {
    await expect(ask(Handlers.prototype.forStaff)).resolves.toBe(true);
  });
});
