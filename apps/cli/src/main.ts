import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { sentence } from './sentence.js';

/** Every command and the file under `commands/` that registers it; only the one asked for is loaded. */
const COMMANDS = {
  up: 'up',
  down: 'down',
  status: 'status',
  reset: 'reset',
  dev: 'dev',
  demo: 'demo',
  migrate: 'migrate',
  invite: 'invite',
  issue: 'issue',
  enrol: 'enrol',
  revoke: 'revoke',
  token: 'token',
  staff: 'staff',
  keys: 'keys',
  'gateway-keys': 'gateway-keys',
  policy: 'policy',
  restrictions: 'restrictions',
  consents: 'consents',
  disputes: 'disputes',
  webhooks: 'webhooks',
  conformance: 'conformance',
  export: 'export',
  verify: 'verify',
  settings: 'settings',
  replay: 'replay',
  interface: 'interface',
} as const;

interface CommandFile {
  register(program: Command): void;
}

const program = new Command('tallystick')
  .description('Run, look after and audit a Tallystick installation.')
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false });

// A reader that closes early (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  for (const file of filesFor(process.argv[2])) ((await import(file)) as CommandFile).register(program);
  await program.parseAsync();
} catch (error) {
  console.error(`\n${sentence(error)}`);
  process.exitCode = 1;
}

/** The asked command's file; all of them for help or an unknown name. */
function filesFor(asked: string | undefined): string[] {
  const known = asked !== undefined && asked in COMMANDS ? [COMMANDS[asked as keyof typeof COMMANDS]] : Object.values(COMMANDS);
  return known
    .map((name) => new URL(`./commands/${name}.js`, import.meta.url))
    .flatMap((url) => (existsSync(fileURLToPath(url)) ? [url.href] : []));
}
