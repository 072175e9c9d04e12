import { Refusal } from '#kernel';
import { ConfigError, Database, parseConfig } from '#platform';

export const VERSION = ['--version <number>', 'version of the policy'] as const;
export const BY = ['--by <person>', 'who does it; stands in the version and in the log'] as const;

export function parseVersion(text: string): bigint {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return BigInt(text);
  throw new Refusal('malformed', 'policy.version_malformed', `${JSON.stringify(text)} is no version: a version is a number from 1`);
}

/** One command's work on the installation's database. */
export async function onDatabase(work: (database: Database) => Promise<void>): Promise<void> {
  const { DATABASE_URL: url } = parseConfig(process.env);
  if (url === undefined) throw new ConfigError('no installation is running here: run "npm run up", or set DATABASE_URL');
  const database = await Database.open(url, 4);
  try {
    await work(database);
  } finally {
    await database.close();
  }
}
