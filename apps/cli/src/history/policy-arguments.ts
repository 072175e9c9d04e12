import { Refusal } from '#kernel';
import { ConfigError, Database, parseConfig } from '#platform';

export const VERSION = ['--version <number>', 'version of the policy'] as const;
export const BY = ['--by <person>', 'who does it; stands in the version and in the log'] as const;

export function parseVersion(text: string): bigint {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return BigInt(text);
  throw new Refusal('malformed', 'policy.version_malformed', `${JSON.stringify(text)} is no version: a version is a number from 1`);
}

/** A time without its offset would mean another moment on another machine. */
export function parseTime(text: string): Date {
  const time = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new Refusal('malformed', 'policy.time_malformed', `${text} is no time like 2026-12-01T00:00:00+08:00`);
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
