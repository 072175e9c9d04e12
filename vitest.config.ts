import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['development'] };
const shared = { resolve, ssr: { resolve } };

/** `unit` is the fast loop (no database, no network); `real` starts PostgreSQL and Redis once and gives each file its own database. */
export default defineConfig({
  ...shared,
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['apps/**/*.spec.ts', 'libs/**/*.spec.ts', 'test/*.spec.ts', 'test/vectors/**/*.spec.ts'],
          exclude: ['**/adapters/**', '**/node_modules/**'],
          // A hung test ends; a slow machine does not fail one.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...shared,
        test: {
          name: 'real',
          execArgv: ['--import', './test/world/typescript.mjs'],
          include: ['libs/*/src/adapters/**/*.spec.ts', 'apps/**/adapters/**/*.spec.ts', 'test/e2e/**/*.e2e-spec.ts'],
          globalSetup: ['test/world/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
