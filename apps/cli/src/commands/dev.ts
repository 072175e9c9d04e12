import type { Command } from 'commander';
import { openHome } from '../up/installation.js';
import { dev } from '../up/dev.js';

export function register(program: Command): void {
  program
    .command('dev')
    .description('start everything, then rebuild and restart on every change; Ctrl-C stops')
    .action(() => dev(openHome(process.env)));
}
