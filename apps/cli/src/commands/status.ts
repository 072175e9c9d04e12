import type { Command } from 'commander';
import { openHome } from '../up/installation.js';
import { status } from '../up/status.js';

export function register(program: Command): void {
  program
    .command('status')
    .description('how each process is; exits 0 when every door is ready')
    .action(async () => {
      const { ready, lines } = await status(openHome(process.env));
      console.log(lines.join('\n'));
      if (!ready) process.exitCode = 1;
    });
}
