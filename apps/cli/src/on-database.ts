import { type Config, ConfigError, Database, parseConfig } from '#platform';

const connectionsMax = 4;

/** One command's work on the installation's database. Throws `ConfigError` where none is running and none is named. */
export async function onDatabase<T>(work: (database: Database, config: Config) => Promise<T>): Promise<T> {
  const config = parseConfig(process.env);
  if (config.DATABASE_URL === undefined) throw new ConfigError('no installation is running here: run "npm run up", or set DATABASE_URL');
  const database = await Database.open(config.DATABASE_URL, connectionsMax);
  try {
    return await work(database, config);
  } finally {
    await database.close();
  }
}
