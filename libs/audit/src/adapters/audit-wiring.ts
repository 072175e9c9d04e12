import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { nodeCrypto, vkeyOf } from '#evidence';
import { type Config, type Database, loadSigner, type PassPoint } from '#platform';
import { PgDecisionFacts } from '#decisions/adapters/pg-decision-facts';
import { Exports } from '../exports.js';
import { StoredInclusionProofs } from '../inclusion-proofs.js';
import { LogEntries } from '../log-entries.js';
import { LogReader } from '../log-reader.js';
import { ExportRunner } from '../run-export.js';
import { Sealer } from '../sealer.js';
import { TileFiles } from '../tile-files.js';
import type { FactSource } from '../store.js';
import { FsBundleFiles } from './fs-bundle-files.js';
import { FsLogFiles } from './fs-log-files.js';
import { watchLog } from './log-metrics.js';
import { PgAlarms } from './pg-alarms.js';
import { PgExportStore } from './pg-export-store.js';
import { PgFactSource } from './pg-fact-source.js';
import { PgLogStore } from './pg-log-store.js';
import { PgLogSummaries } from './pg-log-summaries.js';
import { TrustedKeys } from './trusted-keys.js';

type Logger = ConstructorParameters<typeof PgAlarms>[1];

/** The log of a database, to read. */
function openLog(database: Database) {
  const sources: readonly FactSource[] = [new PgFactSource(database), new PgDecisionFacts(database)];
  const store = new PgLogStore(database);
  const entries = new LogEntries(nodeCrypto, store, sources);
  return { store, sources, entries };
}

export function createInclusionProofs(database: Database): StoredInclusionProofs {
  const { store, entries } = openLog(database);
  return new StoredInclusionProofs(nodeCrypto, store, entries);
}

export function createLogReader(database: Database): LogReader {
  return new LogReader(openLog(database).entries, new PgLogSummaries(database));
}

/** Needs the signing key `log`. Also writes the file of public keys that verifiers are given, and lets /metrics tell how sealing goes. */
export async function createSealer(database: Database, config: Config, logger: Logger, passPoint?: PassPoint): Promise<Sealer> {
  const { store, sources, entries } = openLog(database);
  const sealer = new Sealer({
    crypto: nodeCrypto,
    store,
    sources,
    files: new FsLogFiles(config.TALLYSTICK_HOME, passPoint),
    tiles: new TileFiles(nodeCrypto, store, entries),
    signer: loadSigner(config, 'log'),
    alarms: new PgAlarms(database, logger),
    newOrigin: newOrigin(),
  });
  await new TrustedKeys(config, sealer).keep();
  watchLog(database);
  return sealer;
}

/** Needs the signing key `export` and the log's public keys. */
export function createExportRunner(database: Database, config: Config): ExportRunner {
  const { store, entries } = openLog(database);
  const requests = new PgExportStore(database);
  return new ExportRunner({
    crypto: nodeCrypto,
    exports: new Exports(requests),
    requests,
    log: store,
    entries,
    files: new FsBundleFiles(exportsFolder(config)),
    signer: loadSigner(config, 'export'),
    logKey: async () => vkeyOf(nodeCrypto, (await store.open(newOrigin())).origin, loadSigner(config, 'log')),
    pause: (ms) => pause(ms),
  });
}

export const exportsFolder = (config: Pick<Config, 'TALLYSTICK_HOME'>): string => path.join(config.TALLYSTICK_HOME, 'exports');

/** A log of its own for every installation and every reset: two of them can never be taken for one. */
const newOrigin = (): string => `tallystick.invalid/${randomBytes(16).toString('hex')}`;
