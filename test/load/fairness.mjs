// What one partner at twenty times its quota costs the others: bank A's signed records, with bank B quiet and with bank B flooding, in turns:
// over few connections, over many, and with a new connection for each call.
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
/** Until what waited has gone, and the lane is closed. */
const calmMs = 6_000;
const WAYS = ['narrow', 'wide', 'fresh'];
/** At most half more. */
const BAR = 1.5;
let seq = Date.now() * 1_000;

export async function run(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '6' }, rounds: { type: 'string', default: '4' } } });
  const seconds = Number(values.seconds);
  process.env.PARTNER_CALLS_PER_SECOND = String(QUOTA);
  const world = await openExchangeWorld();
  try {
    for (let i = 0; i < 5; i++) await submitFor(world, 1, QUOTA);
    const quiet = { latencies: [], cpu: [] };
    const ways = Object.fromEntries(WAYS.map((way) => [way, { latencies: [], cpu: [], floods: [] }]));
    for (let round = 0; round < Number(values.rounds); round++) {
      await measure(world, seconds, quiet);
      for (const way of WAYS) {
        const flood = startFlood(world, way, seconds + 2);
        await pause(1_000);
        await measure(world, seconds, ways[way]);
        ways[way].floods.push(await flood);
        await pause(calmMs);
      }
    }
    report(quiet, ways);
  } finally {
    await world.close();
  }
}

async function measure(world, seconds, into) {
  const { gateway } = world.cpuSeconds();
  into.latencies.push(...(await submitFor(world, seconds)));
  into.cpu.push((world.cpuSeconds().gateway - gateway) / seconds);
}

/** As many calls a second as a bank within its quota makes, each sent at its time, however long the one before takes. */
async function submitFor({ origin, tls, signingKey, refs }, seconds, perSecond = CALLS_PER_SECOND) {
  const client = new BankClient({ origin, ...tls, signingKey });
  await client.me();
  const lines = await Promise.all(
    Array.from({ length: seconds * perSecond }, (_, i) => signRecord(recordOf(refs[i % refs.length]), signingKey)),
  );
  const startMs = performance.now();
  const one = async (line, i) => {
    const dueMs = startMs + (i * 1_000) / perSecond;
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

/** @returns how many calls it made, by answer */
function startFlood({ home, origin }, way, seconds) {
  const child = spawn(process.execPath, ['test/load/flood.mjs', home, origin, way, String(QUOTA * TIMES), String(seconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  child.stdout.on('data', (data) => (told += data));
  return new Promise((resolve, reject) =>
    child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(told)) : reject(new Error('the flood failed')))),
  );
}

function report(quiet, ways) {
  const round = (value) => Math.round(value * 100) / 100;
  const mean = (list) => round(list.reduce((sum, value) => sum + value, 0) / list.length);
  const at = ({ latencies }, share) => round([...latencies].sort((a, b) => a - b)[Math.floor(latencies.length * share)]);
  const row = (name, run) => ({ name, calls: run.latencies.length, p50Ms: at(run, 0.5), p99Ms: at(run, 0.99), gatewayCpu: mean(run.cpu) });
  const perSecond = (floods, what) => mean(floods.map((flood) => flood[what] / flood.seconds));
  const rows = Object.entries(ways).map(([way, run]) => ({
    ...{ ...row(way, run), ratio: round(at(run, 0.99) / at(quiet, 0.99)), bar: BAR },
    ...Object.fromEntries(
      ['ok', 'refused', 'failed', 'handshakes', 'cpuSeconds'].map((what) => [`flood ${what}/s`, perSecond(run.floods, what)]),
    ),
  }));
  console.table(Object.fromEntries([row('quiet', quiet), ...rows].map(({ name, ...rest }) => [name, rest])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/fairness.json', `${JSON.stringify([row('quiet', quiet), ...rows], null, 2)}\n`);
  for (const { name, ratio } of rows.filter((one) => one.ratio > BAR)) {
    console.error(`fairness: others’ p99 is ${ratio} times as long under a ${name} flood; the bar is ${BAR}`);
    process.exitCode = 1;
  }
}
