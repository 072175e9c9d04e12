import { type Command, Option } from 'commander';
import { type Config, parseConfig } from '#platform';
import { Narrator } from '../demo/narrator.js';
import { openStage } from '../demo/open-stage.js';
import { type Sabotage, SABOTAGES } from '../demo/stage.js';
import { tellStory } from '../demo/story.js';
import { withTemporaryInstallation } from '../demo/temporary-installation.js';
import { withScratch } from '../demo/with-scratch.js';
import { findSupervisor } from '../up/lock.js';

export function register(program: Command): void {
  program
    .command('demo')
    .description('Tell the whole story on the running installation, or on a temporary one; exits 0 only if every step did what it says.')
    .addOption(new Option('--sabotage <step>', "undo one step's effect, to see that the demo notices").choices(SABOTAGES))
    .option('--temporary', 'on a temporary installation, also where one is running')
    .action(async ({ sabotage, temporary }: { sabotage?: Sabotage; temporary?: boolean }) => {
      const config = parseConfig(process.env);
      if (!temporary && findSupervisor(config.TALLYSTICK_HOME)) return demo(config, sabotage);
      return withTemporaryInstallation((environment) => {
        Object.assign(process.env, environment);
        return demo(parseConfig(environment), sabotage);
      });
    });
}

function demo(config: Config, sabotage: Sabotage | undefined): Promise<void> {
  return withScratch('tallystick-demo-', async (scratch) => {
    const stage = await openStage(config, scratch, sabotage);
    try {
      await tellStory(stage, new Narrator());
    } finally {
      await Promise.all([stage.bankA.client.close(), stage.bankB.client.close()]);
    }
  });
}
