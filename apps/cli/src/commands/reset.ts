import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { deleteData, down, isHome } from '../up/down.js';
import { openHome } from '../up/installation.js';

export function register(program: Command): void {
  program
    .command('reset')
    .description('stop everything and delete all data of this installation')
    .option('--yes', 'do not ask', false)
    .action(async ({ yes }: { yes: boolean }) => {
      const home = openHome(process.env);
      if (!isHome(home)) {
        console.log(`nothing to delete in ${home}`);
        return;
      }
      if (!yes && !(await confirmed(home))) throw new Error('nothing was deleted');
      await down(home);
      deleteData(home);
      console.log('deleted; "npm run up" starts afresh');
    });
}

async function confirmed(home: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error('there is nobody to ask here: say "npm run reset -- --yes"');
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(`Delete everything in ${home}: records, decisions, keys, log? Type "yes": `);
  prompt.close();
  return answer.trim().toLowerCase() === 'yes';
}
