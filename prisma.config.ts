import { defineConfig } from 'prisma/config';

/** One schema file per room. Migrations are applied by our own migrator (libs/platform/src/migrate.ts), which keeps Prisma's book. */
export default defineConfig({
  schema: 'prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://localhost/tallystick' },
});
