import type { Command } from 'commander';
import { ConfigError, migrate, parseConfig } from '#platform';
import { OWN } from '../up/installation.js';

export function register(program: Command): void {
  program
    .command('migrate')
    .description('apply prisma/migrations to DATABASE_URL, which must own the schema')
    .action(async () => {
      const { DATABASE_URL } = parseConfig(process.env);
      if (DATABASE_URL === undefined)
        throw new ConfigError('DATABASE_URL is not set, and no installation is here: run "npm run up" or set it');
      const applied = await migrate(process.env[OWN.ownerUrl] ?? DATABASE_URL);
      console.log(applied.length > 0 ? `applied: ${applied.join(', ')}` : 'nothing to apply: the schema is up to date');
    });
}
