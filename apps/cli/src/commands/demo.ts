import { rmSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { ConfigError, parseConfig } from '#platform';
import { Narrator } from '../demo/narrator.js';
import { openStage } from '../demo/open-stage.js';
import { type Sabotage, SABOTAGES } from '../demo/stage.js';
import { tellStory } from '../demo/story.js';

export function register(program: Command): void {
  program
    .command('demo')
    .description('Tell the whole story on the running installation; exits 0 only if every step did what it says.')
    .addOption(new Option('--sabotage <step>', "undo one step's effect, to see that the demo notices").choices(SABOTAGES))
    .action(async (options: { sabotage?: Sabotage }) => demo(options.sabotage));
}

async function demo(sabotage: Sabotage | undefined): Promise<void> {
  const config = parseConfig(process.env);
  if (config.DATABASE_URL === undefined) throw new ConfigError('nothing is running here: start with "npm run up"');
  const stage = await openStage(config, sabotage);
  try {
    await tellStory(stage, new Narrator());
  } finally {
    await Promise.all([stage.bankA.client.close(), stage.bankB.client.close()]);
    rmSync(stage.scratch, { recursive: true, force: true });
  }
}
