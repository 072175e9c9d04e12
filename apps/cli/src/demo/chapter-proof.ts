import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Narrator } from './narrator.js';
import type { Stage } from './stage.js';

/** Compliance exports the day and verifies it offline; one byte is flipped, and verification fails naming the entry. */
export async function proveTheDay(stage: Stage, narrator: Narrator): Promise<void> {
  narrator.chapter('Compliance exports the day and verifies it with no network and no database');
  const bundle = path.join(stage.scratch, 'day.tallystick');
  const exported = await stage.run(['export', '--day', new Date().toISOString().slice(0, 10), '--out', bundle]);
  narrator.check('the export is written', exported.code === 0, exported.output);
  const verified = await stage.run(['verify', bundle]);
  narrator.check('it verifies', verified.code === 0, verified.output);
  for (const line of verified.output.trim().split('\n').slice(-3)) narrator.say(line);

  narrator.chapter('Somebody changes one byte of it');
  const tampered = path.join(stage.scratch, 'tampered.tallystick');
  await writeFile(tampered, flipOneByte(await readFile(bundle), stage.sabotage === 'flip'));
  const refused = await stage.run(['verify', tampered]);
  narrator.check('verification fails', refused.code !== 0, refused.output);
  narrator.check('and names the entry', /entry \d+/.test(refused.output), refused.output);
  narrator.say(refused.output.trim().split('\n').at(-1)!);
}

function flipOneByte(bundle: Buffer, undone: boolean): Buffer {
  const at = bundle.indexOf('record.accepted');
  if (at < 0) throw new Error('the bundle holds no accepted record');
  const copy = Buffer.from(bundle);
  if (!undone) copy[at] = copy[at]! ^ 1;
  return copy;
}
