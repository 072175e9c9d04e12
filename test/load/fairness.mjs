// What one partner at twenty times its quota costs the others: bank A's signed records, with bank B quiet and with bank B flooding, in turns:
// over few connections, over many, and with a new connection for each call. What passes by itself (a collection, a checkpoint) falls on some
// of many short rounds: what is told is the median of the rounds.
//
// Bank B's machine is this one, too, and its sender takes a good part of it, however low it is ranked. So each flood is also sent to a door of its
// own, where bank A is not, which tells what of it is the sender's. The bar is for what bank A sees: its p99 over that when bank B is quiet.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatId } from '#kernel';
import { BankClient, signRecord } from '#sdk';
import { openExchangeWorld } from './exchange-world.mjs';

const QUOTA = 100;
const TIMES = 20;
/** Bank A stays within its quota. */
const CALLS_PER_SECOND = 80;
/** Until a flood has begun, and until its connections are gone. */
const beginMs = 1_200;
const calmMs = 500;
/** What the bank is to send is signed before: until nothing of that is left to do. */
const signedMs = 300;
const WAYS = ['narrow', 'wide', 'fresh'];
/** At most half more. */
const BAR = 1.5;
let seq = Date.now() * 1_000;

export async function run(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '2' }, rounds: { type: 'string', default: '3' } } });
  const seconds = Number(values.seconds);
  process.env.PARTNER_CALLS_PER_SECOND = String(QUOTA);
  const opened = await openExchangeWorld();
  const world = { ...opened, bank: bankOf(opened) };
  const elsewhere = await startEcho(world);
  try {
    for (let i = 0; i < 6; i++) await submitFor(world, 1, QUOTA - 5);
    const runs = Object.fromEntries(['quiet', ...WAYS, ...WAYS.map(elsewhereOf)].map((way) => [way, { rounds: [], cpu: [], floods: [] }]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const way of WAYS) {
        await measure(world, seconds, runs.quiet);
        await measureFlooded(world, way, elsewhere.origin, seconds, runs[elsewhereOf(way)]);
        await measureFlooded(world, way, world.origin, seconds, runs[way]);
      }
    }
    report(runs);
  } finally {
    elsewhere.close();
    await world.bank.close();
    await world.close();
  }
}

const elsewhereOf = (way) => `${way} elsewhere`;

async function measureFlooded(world, way, origin, seconds, into) {
  const flood = startFlood({ home: world.home, origin }, way, seconds + (beginMs + 2 * signedMs) / 1_000);
  await pause(beginMs);
  await measure(world, seconds, into);
  into.floods.push(await flood);
  await pause(calmMs);
}

async function measure(world, seconds, into) {
  const { gateway } = world.cpuSeconds();
  const latencies = await submitFor(world, seconds);
  into.rounds.push(latencies.sort((a, b) => a - b));
  into.cpu.push((world.cpuSeconds().gateway - gateway) / seconds);
}

/** A bank keeps its connections: with those opened in a short round, p99 would be that of a TLS handshake. */
export const bankOf = ({ origin, tls, signingKey }) => new BankClient({ origin, ...tls, signingKey });

/** As many calls a second as a bank within its quota makes, each sent at its time, however long the one before takes. */
export async function submitFor({ bank, signingKey, refs }, seconds, perSecond = CALLS_PER_SECOND) {
  const lines = await Promise.all(
    Array.from({ length: seconds * perSecond }, (_, i) => signRecord(recordOf(refs[i % refs.length]), signingKey)),
  );
  await pause(signedMs);
  const startMs = performance.now();
  const one = async (line, i) => {
    const dueMs = startMs + (i * 1_000) / perSecond;
    await pause(Math.max(0, dueMs - performance.now()));
    await bank.submitRecord(line);
    return performance.now() - Math.max(dueMs, startMs);
  };
  const latencies = await Promise.all(lines.map(one));
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

/** The work of another machine takes no time of this one: it runs while nobody else does, where the kernel can. */
const ASIDE = spawnSync('chrt', ['--idle', '0', 'true']).status === 0 ? ['chrt', '--idle', '0'] : [];
let floods = 0;

async function startEcho({ home, origin }) {
  const [command, ...rest] = [...ASIDE, process.execPath, 'test/load/flood-echo.mjs', home, String(QUOTA)];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(Number(data)));
    child.once('exit', () => reject(new Error('the echo failed')));
  });
  return { origin: Object.assign(new URL(origin), { port }).origin, close: () => child.kill() };
}

/** Each comes from an address of its own, which has opened no connection yet. @returns how many calls it made, by answer */
function startFlood({ home, origin }, way, seconds) {
  const address = `127.0.1.${++floods}`;
  const args = ['test/load/flood.mjs', home, origin, way, String(QUOTA * TIMES), String(seconds), address];
  const [command, ...rest] = [...ASIDE, process.execPath, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (data) => (told += data));
  return new Promise((resolve, reject) =>
    child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(told)) : reject(new Error('the flood failed')))),
  );
}

function report(runs) {
  const round = (value) => Math.round(value * 100) / 100;
  const mean = (list) => round(list.reduce((sum, value) => sum + value, 0) / list.length);
  const median = (list) => round([...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]);
  const at = ({ rounds }, share) => median(rounds.map((latencies) => latencies[Math.floor(latencies.length * share)]));
  const perSecond = (floods, what) => mean(floods.map((flood) => flood[what] / flood.seconds));
  const over = (name, other) => round(at(runs[name], 0.99) / at(runs[other], 0.99));
  const rows = Object.entries(runs).map(([name, run]) => ({
    ...{ name, calls: run.rounds.flat().length, p50Ms: at(run, 0.5), p99Ms: at(run, 0.99), gatewayCpu: mean(run.cpu) },
    ...(name === 'quiet' ? {} : { ratio: over(name, 'quiet') }),
    ...(WAYS.includes(name) ? { overElsewhere: over(name, elsewhereOf(name)), bar: BAR } : {}),
    ...Object.fromEntries(
      ['ok', 'refused', 'failed', 'handshakes', 'cpuSeconds'].flatMap((what) =>
        run.floods.length > 0 ? [[`flood ${what}/s`, perSecond(run.floods, what)]] : [],
      ),
    ),
  }));
  console.table(Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/fairness.json', `${JSON.stringify(rows, null, 2)}\n`);
  for (const { name, ratio } of rows.filter((one) => one.bar && one.ratio > BAR)) {
    console.error(`fairness: others’ p99 is ${ratio} times as long under a ${name} flood; the bar is ${BAR}`);
    process.exitCode = 1;
  }
}
