// What bank A feels of its single records while bank B sends sealed batches without a pause, and what these give way: in turns with nobody else there.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatId, uuidV7 } from '#kernel';
import { openExchangeWorld } from './exchange-world.mjs';
import { bankOf, submitFor } from './fairness.mjs';

const CALLS_PER_SECOND = 60;
const LINES = 200_000;
/** Others' p99, at most, over that with nobody else there. */
const BAR = 2;

export async function run(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } } });
  const opened = await openExchangeWorld();
  const world = { ...opened, bank: bankOf(opened) };
  try {
    const file = path.join(world.home, 'beside.ndjson');
    writeFileSync(file, `${Array.from({ length: LINES }, (_, i) => lineOf(world.refs[i % world.refs.length], i)).join('\n')}\n`);
    for (let i = 0; i < 6; i++) await submitFor(world, 1, CALLS_PER_SECOND);
    const seconds = Number(values.seconds);
    const rounds = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const alone = at(await submitFor(world, seconds, CALLS_PER_SECOND));
      const unheard = await whileSent(world, file, () => pause(seconds * 1_000));
      const beside = await whileSent(world, file, async () => at(await submitFor(world, seconds, CALLS_PER_SECOND)));
      rounds.push({ alone, beside: beside.done, linesAlone: unheard.linesPerSecond, linesBeside: beside.linesPerSecond });
      console.log(JSON.stringify(rounds.at(-1)));
    }
    report(rounds);
  } finally {
    await world.bank.close();
    await world.close();
  }
}

/** The work of another machine takes no time of this one, where the kernel can. */
const ASIDE = spawnSync('chrt', ['--idle', '0', 'true']).status === 0 ? ['chrt', '--idle', '0'] : [];

/** Begins when a first batch was sent to its end; whole batches count, with the share of those at both ends. */
async function whileSent({ home, origin }, file, work) {
  const [command, ...rest] = [...ASIDE, process.execPath, 'test/load/beside-sender.mjs', home, origin, file, String(LINES)];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const sent = [];
  let first;
  child.stdout.on('data', (data) => {
    sent.push(
      ...String(data)
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text)),
    );
    first?.();
  });
  const failed = new Promise((_, reject) => child.once('exit', (code) => reject(new Error(`the sender ended: ${code}`))));
  failed.catch(() => undefined);
  await Promise.race([failed, new Promise((resolve) => (first = resolve))]);
  const before = sent.length;
  const done = await Promise.race([failed, work()]);
  // One at least: its time began before.
  while (sent.length === before) await Promise.race([failed, pause(50)]);
  child.removeAllListeners('exit').kill();
  const [lines, ms] = ['lines', 'ms'].map((what) => sent.slice(before).reduce((sum, one) => sum + one[what], 0));
  return { done, linesPerSecond: Math.round((lines * 1_000) / ms) };
}

function lineOf(ref, i) {
  const now = Date.now();
  return JSON.stringify({
    ...{
      iss: 'bank-b',
      sub: formatId('lnk', ref),
      jti: uuidV7(now, randomBytes(10)),
      seq: i + 1,
      iat: Math.floor(now / 1_000),
      kind: 'rating',
    },
    ...{ asOf: new Date(now).toISOString(), validUntil: new Date(now + 86_400_000).toISOString() },
    rating: { score: 700, scale: { min: 350, max: 950 }, band: 'A', factors: [], model: { id: 'bench', version: '1' } },
  });
}

function at(latencies) {
  latencies.sort((a, b) => a - b);
  const share = (part) => Math.round(latencies[Math.floor(latencies.length * part)] * 10) / 10;
  return { p50Ms: share(0.5), p99Ms: share(0.99) };
}

function report(rounds) {
  const middle = (pick) => rounds.map(pick).sort((a, b) => a - b)[Math.floor(rounds.length / 2)];
  const times = (way) => ({ p50Ms: middle((one) => one[way].p50Ms), p99Ms: middle((one) => one[way].p99Ms) });
  const [alone, beside] = [times('alone'), times('beside')];
  const ratio = Math.round((beside.p99Ms / alone.p99Ms) * 100) / 100;
  const rows = [
    { name: 'single-records', ...alone },
    { name: 'sealed-lines', linesPerSecond: middle((one) => one.linesAlone) },
    { name: 'both', ...beside, linesPerSecond: middle((one) => one.linesBeside), ratio, bar: BAR },
  ];
  console.table(Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/beside.json', `${JSON.stringify(rows, null, 2)}\n`);
  if (ratio <= BAR) return;
  console.error(`beside: others' p99 is ${ratio} times as long while sealed lines come in; the bar is ${BAR}`);
  process.exitCode = 1;
}
