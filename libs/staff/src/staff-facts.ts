import { type Fact, type FactValue, type Shard, shardOf } from '#kernel';
import type { StaffMember } from './session.js';

/** Facts about attempts under a name that nobody has: they stand on one fixed shard and never repeat what was typed. */
const NOBODY_SHARD = shardOf('staff');

type Body = { readonly [name: string]: FactValue };

const staffFact = (kind: string, accountId: string, body: Body): Fact => ({
  shard: shardOf(accountId),
  kind,
  body: { ...body, staff: accountId },
});

export const accountCreated = (accountId: string, role: string): Fact => staffFact('staff.account_created', accountId, { role });

export const passwordReset = (accountId: string): Fact => staffFact('staff.password_reset', accountId, {});

export const accountDisabled = (accountId: string): Fact => staffFact('staff.account_disabled', accountId, {});

export const accountEnabled = (accountId: string): Fact => staffFact('staff.account_enabled', accountId, {});

export const signedIn = (member: StaffMember): Fact =>
  staffFact('staff.signed_in', member.id, { role: member.role, session: member.sessionId });

export const signedOut = (member: Pick<StaffMember, 'id' | 'sessionId'>): Fact =>
  staffFact('staff.signed_out', member.id, { session: member.sessionId });

/** `failures` counts within the last hour. Attempts that the brake refuses leave no fact: a flood cannot fill the log. */
export function signInFailed(accountId: string | undefined, failures: number): Fact {
  if (accountId === undefined) return { shard: NOBODY_SHARD, kind: 'staff.sign_in_failed', body: { staff: null, failures } };
  return staffFact('staff.sign_in_failed', accountId, { failures });
}

/** What a person looked at. With `subject` the fact stands on the subject's shard, so "who saw my data" is one indexed read. */
export interface View {
  /** The kind of id or list that was opened, such as `decision`, `payment_reference`, `decisions.list`. Never the value. */
  readonly what: string;
  readonly subject?: { readonly shard: Shard; readonly uuid: string } | undefined;
  readonly rows: number;
}

/** A read of data about people is a fact too (CONTRACT.md §9). */
export function viewed(member: StaffMember, view: View): Fact {
  const body = { staff: member.id, role: member.role, what: view.what, rows: view.rows };
  if (view.subject === undefined) return { shard: shardOf(member.id), kind: 'staff.viewed', body };
  return { shard: view.subject.shard, kind: 'staff.viewed', subject: view.subject.uuid, body };
}
