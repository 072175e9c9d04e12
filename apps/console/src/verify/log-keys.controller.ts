import { readFile } from 'node:fs/promises';
import { Controller, Get, Inject } from '@nestjs/common';
import type { LogKeysView } from '../api.js';
import { Allow } from '../auth/session.guard.js';
import { LOG_KEYS_FILE } from '../tokens.js';

/** Public keys, for whoever verifies in the browser and trusts this installation. */
@Controller('api/log-keys')
export class LogKeysController {
  constructor(@Inject(LOG_KEYS_FILE) private readonly file: string) {}

  /** The file that the worker keeps for verifiers; it may keep it on another machine, or not have begun. */
  @Get()
  @Allow('staff')
  async keys(): Promise<LogKeysView> {
    const vkeys = await readFile(this.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    return { vkeys };
  }
}
