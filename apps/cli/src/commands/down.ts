import type { Command } from 'commander';
import { down } from '../up/down.js';
import { openHome } from '../up/installation.js';

export function register(program: Command): void {
  program
    .command('down')
    .description('stop everything; the data stays')
    .action(async () => {
      console.log((await down(openHome(process.env))) ? 'stopped; the data is kept' : 'nothing was running');
    });
}
