import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { nodeCrypto, vkeyOf } from '#evidence';
import { ExportRunner, Exports, LogEntries, type Sealer } from '#audit';
import { FsBundleFiles } from '#audit/adapters/fs-bundle-files';
import { FsLogFiles } from '#audit/adapters/fs-log-files';
import { PgAlarms } from '#audit/adapters/pg-alarms';
import { PgExportStore } from '#audit/adapters/pg-export-store';
import { PgFactSource } from '#audit/adapters/pg-fact-source';
import { PgLogStore } from '#audit/adapters/pg-log-store';
import { newSealer, newSigner } from '#audit/testing/sealing-world';
import { PgDecisionFacts } from '#decisions/adapters/pg-decision-facts';
import { createLogger, type Database, parseConfig } from '#platform';
import { freshDatabase } from '#platform/testing/database';
import type { Role } from '#staff';
import { createStaffAccount } from '#staff/adapters/create-staff-account';
import { createConsoleApp } from '../../../apps/console/src/console-app.js';

export interface ConsoleWorld {
  readonly app: INestApplication;
  readonly url: string;
  /** TALLYSTICK_HOME. */
  readonly home: string;
  readonly database: Database;
  /** As the owner of the schema: for what no application may do. */
  readonly ownerUrl: string;
  password(role: Role): string;
  /** What the worker does each second. */
  seal(): Promise<void>;
  /** What the worker does with an export that waits. */
  runExports(): Promise<void>;
  close(): Promise<void>;
}

const NAMES: Readonly<Record<Role, string>> = { compliance: 'admin', risk: 'rita', operator: 'otto', auditor: 'ada' };
export const nameOf = (role: Role): string => NAMES[role];

/** A console on a database of its own, with one account for each role. */
export async function openConsoleWorld(settings: Record<string, string> = {}, webFolder?: string): Promise<ConsoleWorld> {
  const fresh = await freshDatabase();
  const home = mkdtempSync(path.join(tmpdir(), 'tallystick-console-'));
  const config = parseConfig({ TALLYSTICK_ENV: 'test', DATABASE_URL: fresh.url, TALLYSTICK_HOME: home, LOG_LEVEL: 'error', ...settings });
  const passwords = new Map<Role, string>();
  for (const role of Object.keys(NAMES) as Role[]) {
    passwords.set(role, (await createStaffAccount(fresh.database, { name: NAMES[role], role }))!.password);
  }
  const app = await createConsoleApp(config, createLogger('console', config.LOG_LEVEL), webFolder);
  await app.listen(0, '127.0.0.1');
  const { sealer, runner, exports } = auditOf(fresh.database, home);
  return {
    app,
    url: await app.getUrl(),
    home,
    database: fresh.database,
    ownerUrl: fresh.url,
    password: (role) => passwords.get(role)!,
    seal: async () => void (await sealer.sealOnce()),
    runExports: async () => {
      await sealer.sealOnce();
      for (const id of await exports.outstanding()) await runner.run(id);
    },
    close: async () => {
      await app.close();
      await fresh.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function auditOf(database: Database, home: string): { sealer: Sealer; runner: ExportRunner; exports: Exports } {
  const world = {
    store: new PgLogStore(database),
    files: new FsLogFiles(home),
    sources: [new PgFactSource(database), new PgDecisionFacts(database)],
    alarms: new PgAlarms(database, { error: () => undefined }),
    signer: newSigner(),
  };
  const sealer = newSealer(world as unknown as Parameters<typeof newSealer>[0]);
  const entries = new LogEntries(nodeCrypto, world.store, world.sources);
  const requests = new PgExportStore(database);
  const exports = new Exports(requests);
  const logKey = async () => vkeyOf(nodeCrypto, (await world.store.open('tallystick.test/log')).origin, world.signer);
  const runner = new ExportRunner({
    crypto: nodeCrypto,
    exports,
    requests,
    log: world.store,
    entries,
    files: new FsBundleFiles(path.join(home, 'exports')),
    signer: newSigner(),
    logKey,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  return { sealer, runner, exports };
}
