import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Refusal } from '#kernel';
import { type Config, keysFolder, pkiFolder } from '#platform';
import { BankClient } from '#sdk';
import { readToyBank, TOY_BANKS } from '../seed/toy-banks.js';
import { DecisionClient } from './decision-client.js';
import type { Sabotage, Stage, ToyBank } from './stage.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const SCOPES =
  'decisions:evaluate decisions:reserve decisions:simulate allowances:issue standing:read subjects:write appeals:write consents:write disputes:write';
const commandBytesMax = 16 * 2 ** 20;

/** Takes the parts of two banks, checkout and compliance on a running installation. `scratch`: a folder that its caller removes. */
export async function openStage(config: Config, scratch: string, sabotage?: Sabotage, run: Stage['run'] = runCommand): Promise<Stage> {
  const token = await run(['token', '--caller', 'checkout', '--scope', SCOPES]);
  if (token.code !== 0) throw new Error(`no token for checkout: ${token.output}`);
  const checkout = new DecisionClient(`http://localhost:${config.DECISION_HTTP_PORT}`, token.output.trim());
  await expectSamplePolicy(checkout);
  const [bankA, bankB] = TOY_BANKS.map((bank) => openBank(config, bank)) as [ToyBank, ToyBank];
  return {
    bankA,
    bankB,
    checkout,
    sabotage,
    gateway: config.GATEWAY_ORIGIN,
    jwks: JSON.parse(readFileSync(path.join(keysFolder(config), 'receipt.jwks.json'), 'utf8')) as Stage['jwks'],
    scratch,
    run,
  };
}

/** The story's amounts are those of the policy that `up` brings. Refuses `demo.other_policy` before anything is done. */
async function expectSamplePolicy(checkout: DecisionClient): Promise<void> {
  const { id, version } = await checkout.activePolicy();
  if (id === 'standard' && version === '1') return;
  const back = 'npm run -s tallystick -- policy activate --version 1 --by <you>';
  const detail = `the story is told on the sample policy, but ${id} ${version} decides here. Let the first version decide (${back}), or tell it elsewhere: npm run demo -- --temporary`;
  throw new Refusal('conflict', 'demo.other_policy', detail);
}

function openBank(config: Config, bank: (typeof TOY_BANKS)[number]): ToyBank {
  const files = readToyBank(pkiFolder(config), bank);
  const ca = readFileSync(path.join(pkiFolder(config), 'server', 'ca.pem'), 'utf8');
  const client = new BankClient({ origin: config.GATEWAY_ORIGIN, ca, cert: files.cert, key: files.key, signingKey: files.signingKey });
  return { id: bank.id, client, key: files.signingKey, nextSeq: Date.now() * 1_000 };
}

function runCommand(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env: process.env, maxBuffer: commandBytesMax }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
      resolve({ code, output: code === 0 ? stdout : stdout + stderr });
    });
  });
}
