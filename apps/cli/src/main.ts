import { Command, CommanderError } from 'commander';
import { sentence } from './sentence.js';

/** Every command, in the order of the help. `commands/<name>.ts` registers it; only the one asked for is loaded. */
const COMMANDS = [
  'up',
  'down',
  'status',
  'reset',
  'dev',
  'demo',
  'migrate',
  'invite',
  'issue',
  'enrol',
  'revoke',
  'token',
  'staff',
  'keys',
  'gateway-keys',
  'policy',
  'restrictions',
  'consents',
  'disputes',
  'webhooks',
  'conformance',
  'export',
  'verify',
  'settings',
  'replay',
  'interface',
];

interface CommandFile {
  register(program: Command): void;
}

const program = new Command('tallystick')
  .description('Run, look after and audit a Tallystick installation.')
  .showHelpAfterError('(--help behind a command explains it)')
  .exitOverride()
  .configureHelp({ sortSubcommands: false });

// A reader that closes early (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  for (const file of filesFor(process.argv[2])) ((await import(file)) as CommandFile).register(program);
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // Commander has said itself what it could not read.
  if (!(error instanceof CommanderError)) console.error(`\n${sentence(error)}`);
}

/** 1: what was asked was refused, or went wrong; 2: it was not typed as the help says. */
function exitCodeOf(error: unknown): number {
  if (!(error instanceof CommanderError)) return 1;
  return error.exitCode === 0 ? 0 : 2;
}

/** The asked command's file; all of them for help or an unknown name. */
function filesFor(asked: string | undefined): string[] {
  const known = COMMANDS.filter((name) => name === asked);
  return (known.length > 0 ? known : COMMANDS).map((name) => new URL(`./commands/${name}.js`, import.meta.url).href);
}
