import { randomBytes } from 'node:crypto';
import { Refusal } from '#kernel';
import type { Database } from '#platform';
import { parseAccountName, parseNewPassword, type StaffAccount } from '../account.js';
import { codes } from '../codes.js';
import type { Role } from '../role.js';
import { accountCreated, accountDisabled, accountEnabled, passwordReset } from '../staff-facts.js';
import { NodeSecrets } from './node-secrets.js';
import { PgStaffStore } from './pg-staff-store.js';

/** A password for a person to copy: 20 letters and digits in four groups, 100 random bits, no look-alikes. */
function randomPassword(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  const letters = [...randomBytes(20)].map((byte) => alphabet[byte & 31]!).join('');
  return letters.match(/.{5}/g)!.join('-');
}

/**
 * Creates an account and returns its password, which is stored nowhere else: show it once. With a name that exists it
 * changes nothing and returns `undefined`, so an installer may call it each time. Refuses `staff.name_malformed`, `staff.password_weak`.
 */
export async function createStaffAccount(
  database: Database,
  account: { readonly name: string; readonly role: Role; readonly password?: string },
  at = new Date(),
): Promise<{ name: string; role: Role; password: string } | undefined> {
  const name = parseAccountName(account.name);
  const password = parseNewPassword(account.password ?? randomPassword());
  const secrets = new NodeSecrets();
  const store = new PgStaffStore(database);
  if (await store.findAccount(name)) return undefined;
  const id = secrets.newId(at.getTime());
  const passwordHash = await secrets.hashPassword(password);
  const added = await store.addAccount({ id, name, role: account.role, state: 'ACTIVE', passwordHash }, at, [
    accountCreated(id, account.role),
  ]);
  return added ? { name, role: account.role, password } : undefined;
}

/** Gives an account a new random password and ends its sessions; a disabled one stays disabled. Refuses `staff.unknown` (404). */
export async function resetStaffPassword(
  database: Database,
  name: string,
  at = new Date(),
): Promise<{ readonly account: StaffAccount; readonly password: string }> {
  const store = new PgStaffStore(database);
  const account = await getAccount(store, name);
  const password = randomPassword();
  await store.replacePassword(account.id, await new NodeSecrets().hashPassword(password), at, [passwordReset(account.id)]);
  return { account, password };
}

/**
 * Disables an account, which ends its sessions at once, or enables it; `changed` says whether it stood otherwise. Refuses `staff.unknown` (404).
 * The last account of a role may be disabled, too: who can do this can also make another.
 */
export async function changeStaffState(
  database: Database,
  name: string,
  state: StaffAccount['state'],
  at = new Date(),
): Promise<{ readonly account: StaffAccount; readonly changed: boolean }> {
  const store = new PgStaffStore(database);
  const account = await getAccount(store, name);
  const fact = state === 'DISABLED' ? accountDisabled(account.id) : accountEnabled(account.id);
  return { account, changed: await store.changeState(account.id, state, at, [fact]) };
}

async function getAccount(store: PgStaffStore, name: string): Promise<StaffAccount> {
  const account = await store.findAccount(name);
  if (!account) throw new Refusal('not_found', codes.unknown, `there is no account called ${name}`);
  return account;
}
