import type { Command } from 'commander';
import { Refusal } from '#kernel';
import type { Database } from '#platform';
import { codes, type Role, ROLES } from '#staff';
import { createStaffAccount, resetStaffPassword } from '#staff/adapters/create-staff-account';
import { onDatabase } from '../on-database.js';

/** The console's accounts, made and given a new password by whoever owns the database: the console itself lets nobody in without one. */
export function register(program: Command): void {
  const staff = program
    .command('staff')
    .description('accounts of the console: add, password; nothing but the password goes to standard output');
  staff
    .command('add <name>')
    .description('a new account with a random password, which is shown once')
    .requiredOption('--role <role>', ROLES.join(', '))
    .action((name: string, { role }: { role: string }) => onDatabase((database) => add(database, name, role)));
  staff
    .command('password <name>')
    .description('a new random password for an account; the old one and its open sessions end')
    .action((name: string) => onDatabase((database) => replace(database, name)));
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
  console.log(await resetStaffPassword(database, name));
  console.error(`${name} signs in with this from now on; open sessions ended. The password is kept nowhere else.`);
}

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);
