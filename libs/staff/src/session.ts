import { Refusal } from '#kernel';
import type { StaffAccount } from './account.js';
import { codes } from './codes.js';
import { may, type Permission, type Role } from './role.js';

/** A signed-in person's session as it stands in the store, with the account it belongs to. */
export interface StaffSession {
  readonly id: string;
  readonly account: StaffAccount;
  readonly createdAt: Date;
  readonly seenAt: Date;
  readonly endedAt?: Date | undefined;
}

/** Who is acting: what guards and facts need of a live session. */
export interface StaffMember {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly sessionId: string;
}

/** NIST SP 800-63B §5.2 for sensitive data: sign in again after 15 minutes of silence, and once a working day. */
export const SESSION_IDLE_MS = 15 * 60_000;
export const SESSION_AGE_MS = 8 * 3_600_000;

/** So long after it was opened a session is forgotten; that somebody signed in and out stays known, as facts. */
export const SESSION_KEPT_MS = 30 * 86_400_000;

/** `seenAt` is saved at most this often: a screen full of requests is one write. */
const SESSION_TOUCH_MS = 20_000;

/** The person behind a session. Refuses `session.missing`, `session.idle`, `session.expired`. */
export function requireLive(session: StaffSession | undefined, at: Date): StaffMember {
  if (session?.endedAt !== undefined || session?.account.state !== 'ACTIVE') throw signInAgain(codes.sessionMissing, 'sign in first');
  if (at.getTime() - session.createdAt.getTime() >= SESSION_AGE_MS) {
    throw signInAgain(codes.sessionExpired, 'a session lasts one working day; sign in again');
  }
  if (at.getTime() - session.seenAt.getTime() >= SESSION_IDLE_MS) {
    throw signInAgain(codes.sessionIdle, 'you were away for 15 minutes; sign in again');
  }
  const { id, name, role } = session.account;
  return { id, name, role, sessionId: session.id };
}

export function wantsTouch(session: StaffSession, at: Date): boolean {
  return at.getTime() - session.seenAt.getTime() >= SESSION_TOUCH_MS;
}

/** Refuses `role.forbidden`. */
export function requirePermission(member: StaffMember, permission: Permission): void {
  if (may(member.role, permission)) return;
  throw new Refusal('forbidden', codes.roleForbidden, `your role, ${member.role}, does not allow this; ask compliance if it should`, {
    extra: { permission },
  });
}

function signInAgain(code: string, detail: string): Refusal {
  return new Refusal('unauthenticated', code, detail);
}
