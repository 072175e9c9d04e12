import { ensureDevelopmentPki } from '../../../../certs/make-dev-pki.js';
import { createSigner, migrate, parseConfig, pkiFolder, SIGNER_NAMES } from '#platform';
import { type Environment, OWN } from './installation.js';
import { openDoorLogin } from './own-database.js';

/** The schema, brought up to date by its owner. @returns the environment with the URL that the doors may use */
export async function prepareSchema(environment: Environment, say: (line: string) => void): Promise<Environment> {
  const ownerUrl = environment[OWN.ownerUrl];
  const applied = await (ownerUrl ? migrate(ownerUrl) : migrateTheirs(environment['DATABASE_URL']!));
  say(applied.length > 0 ? `schema: ${applied.length} migrations applied` : 'schema: up to date');
  return ownerUrl ? { ...environment, DATABASE_URL: await openDoorLogin(ownerUrl) } : environment;
}

/** What goes wrong on somebody else's server is mostly the way there. */
async function migrateTheirs(url: string): Promise<string[]> {
  try {
    return await migrate(url);
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    throw new Error(
      `the PostgreSQL of DATABASE_URL (${new URL(url).host}) says: ${message || code}. Check address, database, user and password`,
    );
  }
}

/** Development certificates and this installation's signing keys: what is good stays, what ends soon is renewed. */
export async function prepareKeys(environment: Environment, say: (line: string) => void): Promise<void> {
  const config = parseConfig(environment);
  await ensureDevelopmentPki(pkiFolder(config), new Date());
  for (const name of SIGNER_NAMES) createSigner(config, name);
  say('development certificates and signing keys: valid');
}
