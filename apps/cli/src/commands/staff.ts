import type { Command } from 'commander';
import { Refusal } from '#kernel';
import type { Database } from '#platform';
import { codes, type Role, ROLES, type StaffAccount, type StaffListing } from '#staff';
import { changeStaffState, createStaffAccount, resetStaffPassword } from '#staff/adapters/create-staff-account';
import { PgStaffStore } from '#staff/adapters/pg-staff-store';
import { onDatabase } from '../on-database.js';

/** The console's accounts, looked after by whoever owns the database: the console itself lets nobody in without one. */
export function register(program: Command): void {
  const staff = program
    .command('staff')
    .description('accounts of the console: list, add, password, disable, enable; of a password nothing else goes to standard output');
  staff
    .command('list')
    .description('every account: role, state, open sessions, last sign-in')
    .option('--json', 'as JSON, one line each')
    .action(({ json }: { json?: boolean }) => onDatabase((database) => list(database, json === true)));
  staff
    .command('add <name>')
    .description('a new account with a random password, which is shown once')
    .requiredOption('--role <role>', ROLES.join(', '))
    .action((name: string, { role }: { role: string }) => onDatabase((database) => add(database, name, role)));
  staff
    .command('password <name>')
    .description('a new random password for an account; the old one and its open sessions end')
    .action((name: string) => onDatabase((database) => replace(database, name)));
  staff
    .command('disable <name>')
    .description('let somebody in no more: open sessions end at once; what they did stays theirs')
    .action((name: string) => onDatabase((database) => disable(database, name)));
  staff
    .command('enable <name>')
    .description('let a disabled account in again, with the password it had')
    .action((name: string) => onDatabase((database) => enable(database, name)));
}

async function list(database: Database, json: boolean): Promise<void> {
  for (const listing of await new PgStaffStore(database).listAccounts(new Date())) {
    const shown = show(listing);
    const { name, role, state, openSessions, lastSignedInAt } = shown;
    const last = lastSignedInAt === null ? 'never signed in' : `last signed in ${lastSignedInAt}`;
    console.log(json ? JSON.stringify(shown) : `${name}  ${role}  ${state}  ${openSessions} open sessions, ${last}`);
  }
}

function show({ account: { id, name, role, state }, createdAt, openSessions, lastSignedInAt }: StaffListing) {
  const last = lastSignedInAt?.toISOString() ?? null;
  return { name, role, state, openSessions, lastSignedInAt: last, createdAt: createdAt.toISOString(), id };
}

async function add(database: Database, name: string, role: string): Promise<void> {
  if (!isRole(role)) throw new Refusal('unprocessable', codes.roleUnknown, `the roles are ${ROLES.join(', ')}`);
  const made = await createStaffAccount(database, { name, role });
  if (!made)
    throw new Refusal(
      'conflict',
      codes.nameTaken,
      `there is an account called ${name}; "tallystick staff password ${name}" gives it a new password`,
    );
  console.log(made.password);
  console.error(`${made.name} may sign in to the console as ${made.role}. The password is kept nowhere else.`);
}

async function replace(database: Database, name: string): Promise<void> {
  const { account, password } = await resetStaffPassword(database, name);
  console.log(password);
  const use =
    account.state === 'ACTIVE'
      ? `${name} signs in with this from now on; open sessions ended.`
      : `${name} is disabled: this is good after "tallystick staff enable ${name}".`;
  console.error(`${use} The password is kept nowhere else.`);
}

async function disable(database: Database, name: string): Promise<void> {
  const { account, changed } = await changeStaffState(database, name, 'DISABLED');
  console.log(changed ? `${name} is disabled; open sessions ended.` : `${name} was disabled already.`);
  await warnIfLast(database, account);
}

async function enable(database: Database, name: string): Promise<void> {
  const { changed } = await changeStaffState(database, name, 'ACTIVE');
  console.log(changed ? `${name} may sign in again, with the password of before.` : `${name} was not disabled.`);
}

/** Told and not refused: who has to stop somebody must be able to, and can make another account. */
async function warnIfLast(database: Database, { role }: StaffAccount): Promise<void> {
  const all = await new PgStaffStore(database).listAccounts(new Date());
  if (all.some(({ account }) => account.role === role && account.state === 'ACTIVE')) return;
  console.error(`Nobody is left whose role is ${role}: "tallystick staff add <name> --role ${role}" makes an account.`);
}

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);
