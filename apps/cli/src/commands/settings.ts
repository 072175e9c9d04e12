import type { Command } from 'commander';
import { SETTINGS } from '#platform';

export function register(program: Command): void {
  program
    .command('settings')
    .description('print every environment variable that Tallystick reads, its meaning and its default')
    .action(() => {
      for (const [name, { schema, about }] of Object.entries(SETTINGS)) {
        const standard = schema.safeParse(undefined).data;
        console.log(`${name}\n    ${about}${standard === undefined ? '' : ` (default ${String(standard)})`}`);
      }
    });
}
