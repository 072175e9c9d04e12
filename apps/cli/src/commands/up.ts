import type { Command } from 'commander';
import { up } from '../up/up.js';

export function register(program: Command): void {
  program
    .command('up')
    .description('start everything: database, certificates, sample data, doors')
    .option('--foreground', 'stay attached; Ctrl-C stops everything', false)
    .action((options: { foreground: boolean }) => up(options));
}
