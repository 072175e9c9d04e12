import { Refusal } from '#kernel';
import { codes } from './codes.js';
import type { Role } from './role.js';

export interface StaffAccount {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly state: 'ACTIVE' | 'DISABLED';
  readonly passwordHash: string;
}

/** An account for whoever looks after them: who may still get in, and who is in. */
export interface StaffListing {
  readonly account: StaffAccount;
  readonly createdAt: Date;
  /** Sessions that are not ended and were used within the idle limit. */
  readonly openSessions: number;
  readonly lastSignedInAt: Date | undefined;
}

const NAME_FORM = /^[a-z][a-z0-9._-]{1,39}$/;

/** NIST SP 800-63B §3.1.1: length counts, composition rules do not; a ceiling keeps hashing cheap. */
const passwordCharsMin = 12;
export const passwordCharsMax = 200;

/** The name of a new account. Refuses `staff.name_malformed`. */
export function parseAccountName(text: string): string {
  if (NAME_FORM.test(text)) return text;
  throw new Refusal('malformed', codes.nameMalformed, 'a name is 2 to 40 lower-case letters, digits, dots, dashes or underscores', {
    field: 'name',
  });
}

/** The password of a new account. Refuses `staff.password_weak`. */
export function parseNewPassword(text: string): string {
  if (text.length >= passwordCharsMin && text.length <= passwordCharsMax) return text;
  throw new Refusal('malformed', codes.passwordWeak, `a password has ${passwordCharsMin} to ${passwordCharsMax} characters`, {
    field: 'password',
    limit: `passwordCharsMin=${passwordCharsMin}`,
  });
}
