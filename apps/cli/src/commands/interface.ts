import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { Refusal } from '#kernel';
import { userPath } from '../user-path.js';

/** What decision-api publishes, and the file it becomes. */
const FILES = {
  '/docs-json': 'openapi.json',
  '/docs/decision.proto': 'decision.proto',
  '/docs/examples.json': 'examples.json',
  '/docs/policy.schema.json': 'policy.schema.json',
} as const;

/** `tallystick interface`: the contract of decision-api as files, for code generators and for keeping. */
export function register(program: Command): void {
  program
    .command('interface')
    .description('write the OpenAPI document, the .proto file, the examples and the policy schema of a running decision-api as files')
    .requiredOption('--out <folder>', 'where the files go', userPath)
    .option('--from <url>', 'the door to ask', `http://127.0.0.1:${process.env['DECISION_HTTP_PORT'] ?? '7080'}`)
    .action(async ({ out, from }: { readonly out: string; readonly from: string }) => {
      // All of them or none: half an interface would be taken for the whole.
      const texts: [file: string, text: string][] = [];
      for (const [url, name] of Object.entries(FILES)) texts.push([path.join(out, name), await read(at(url, from))]);
      mkdirSync(out, { recursive: true });
      for (const [file, text] of texts) {
        writeFileSync(file, text);
        console.log(file);
      }
    });
}

function at(place: string, door: string): URL {
  if (URL.canParse(place, door)) return new URL(place, door);
  throw new Refusal('malformed', 'interface.address', `${door} is no address like http://127.0.0.1:7080`);
}

async function read(url: URL): Promise<string> {
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) throw new Refusal('unavailable', 'interface.unreachable', `${url.href} does not answer: is decision-api running?`);
  return await response.text();
}
