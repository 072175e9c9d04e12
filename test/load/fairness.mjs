// What one partner at twenty times its quota costs the others: bank A's signed records, with bank B quiet and with bank B flooding, in turns.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatId } from '#kernel';
import { BankClient, signRecord } from '#sdk';
import { openExchangeWorld } from './exchange-world.mjs';

const QUOTA = 100;
const TIMES = 20;
const CALLS_PER_SECOND = 60;
/** At most half more. */
const BAR = 1.5;
let seq = Date.now() * 1_000;

export async function run(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '6' }, rounds: { type: 'string', default: '4' } } });
  const seconds = Number(values.seconds);
  process.env.PARTNER_CALLS_PER_SECOND = String(QUOTA);
  const world = await openExchangeWorld();
  try {
    await submitFor(world, 2);
    const [quiet, flooded, floods] = [[], [], []];
    for (let round = 0; round < Number(values.rounds); round++) {
      quiet.push(...(await submitFor(world, seconds)));
      const flood = startFlood(world, seconds + 2);
      await pause(1_000);
      flooded.push(...(await submitFor(world, seconds)));
      floods.push(await flood);
    }
    report(quiet, flooded, floods);
  } finally {
    await world.close();
  }
}

/** As many calls a second as a bank within its quota makes, each sent at its time, however long the one before takes. */
async function submitFor({ origin, tls, signingKey, refs }, seconds) {
  const client = new BankClient({ origin, ...tls, signingKey });
  await client.me();
  const lines = await Promise.all(
    Array.from({ length: seconds * CALLS_PER_SECOND }, (_, i) => signRecord(recordOf(refs[i % refs.length]), signingKey)),
  );
  const startMs = performance.now();
  const one = async (line, i) => {
    const dueMs = startMs + (i * 1_000) / CALLS_PER_SECOND;
    await pause(Math.max(0, dueMs - performance.now()));
    await client.submitRecord(line);
    return performance.now() - Math.max(dueMs, startMs);
  };
  const latencies = await Promise.all(lines.map(one));
  await client.close();
  return latencies;
}

function recordOf(ref) {
  const at = Date.now();
  return {
    ...{ iss: 'bank-a', sub: formatId('lnk', ref), jti: uuid7(at), seq: seq++, iat: Math.floor(at / 1_000), kind: 'rating' },
    ...{ asOf: new Date(at).toISOString(), validUntil: new Date(at + 86_400_000).toISOString() },
    rating: { score: 700, scale: { min: 350, max: 950 }, band: 'A', factors: [], model: { id: 'bench', version: '1' } },
  };
}

function uuid7(atMs) {
  const hex = atMs.toString(16).padStart(12, '0') + randomUUID().replaceAll('-', '').slice(12);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** In a process of its own: its work must not be what delays ours. @returns how many calls it made, by status */
function startFlood({ home, origin }, seconds) {
  const child = spawn(process.execPath, ['test/load/flood.mjs', home, origin, String(QUOTA * TIMES), String(seconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  child.stdout.on('data', (data) => (told += data));
  return new Promise((resolve, reject) =>
    child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(told)) : reject(new Error('the flood failed')))),
  );
}

function report(quiet, flooded, floods) {
  const at = (latencies, share) => Math.round([...latencies].sort((a, b) => a - b)[Math.floor(latencies.length * share)] * 100) / 100;
  const row = (name, latencies) => ({ name, calls: latencies.length, p50Ms: at(latencies, 0.5), p99Ms: at(latencies, 0.99) });
  const sum = (pick) => Math.round(floods.reduce((total, flood) => total + pick(flood), 0));
  const ratio = Math.round((at(flooded, 0.99) / at(quiet, 0.99)) * 100) / 100;
  const flood = {
    perSecond: sum(({ perSecond }) => perSecond) / floods.length,
    answered: sum(({ ok }) => ok),
    refused: sum(({ refused }) => refused),
  };
  const rows = [row('quiet', quiet), { ...row('flooded', flooded), ratio, bar: BAR }, { name: 'flood', ...flood }];
  console.table(Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/fairness.json', `${JSON.stringify(rows, null, 2)}\n`);
  if (ratio > BAR) {
    console.error(`fairness: others’ p99 is ${ratio} times as long; the bar is ${BAR}`);
    process.exitCode = 1;
  }
}
