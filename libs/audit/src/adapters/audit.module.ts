import { Module } from '@nestjs/common';
import { type Config, Database } from '#platform';
import { CONFIG, LOGGER, PASS_POINT } from '#platform/adapters/platform.module';
import { Exports } from '../exports.js';
import { LogReader } from '../log-reader.js';
import { ExportRunner } from '../run-export.js';
import { Sealer } from '../sealer.js';
import { createExportRunner, createInclusionProofs, createLogReader, createSealer, exportsFolder } from './audit-wiring.js';
import { FsBundleFiles } from './fs-bundle-files.js';
import { PgExportStore } from './pg-export-store.js';
import { TrustedKeys } from './trusted-keys.js';

/** Token of `InclusionProofs`. */
export const INCLUSION_PROOFS = Symbol('INCLUSION_PROOFS');

/** For processes that read the log and ask for exports: gateway, console. Needs no signing key. */
@Module({
  providers: [
    { provide: INCLUSION_PROOFS, useFactory: createInclusionProofs, inject: [Database] },
    { provide: LogReader, useFactory: createLogReader, inject: [Database] },
    { provide: Exports, useFactory: (database: Database) => new Exports(new PgExportStore(database)), inject: [Database] },
    { provide: FsBundleFiles, useFactory: (config: Config) => new FsBundleFiles(exportsFolder(config)), inject: [CONFIG] },
  ],
  exports: [INCLUSION_PROOFS, LogReader, Exports, FsBundleFiles],
})
export class AuditModule {}

/** For the worker: seals and writes exports, with the keys `log` and `export`. */
@Module({
  imports: [AuditModule],
  providers: [
    {
      provide: Sealer,
      useFactory: createSealer,
      inject: [Database, CONFIG, LOGGER, PASS_POINT],
    },
    { provide: TrustedKeys, useFactory: (config: Config, sealer: Sealer) => new TrustedKeys(config, sealer), inject: [CONFIG, Sealer] },
    {
      provide: ExportRunner,
      useFactory: (database: Database, config: Config) => createExportRunner(database, config),
      inject: [Database, CONFIG],
    },
  ],
  exports: [AuditModule, Sealer, TrustedKeys, ExportRunner],
})
export class SealingModule {}
