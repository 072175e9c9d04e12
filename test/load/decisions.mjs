import { mkdirSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { batchTypes } from '#decisions/adapters/batch-columns';
import { formatId } from '#kernel';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { BATCH_ITEMS, functionLoad, prepareBatches } from './function-load.mjs';
import { batchLoad, connect, streamLoad } from './grpc-load.mjs';
import { httpLoad } from './http-load.mjs';
import { cpuMs, openWorld, SUBJECTS } from './world.mjs';

const HTTP_CONNECTIONS = 512;
const STREAMS = 4;
const STREAM_WINDOW = 256;
const BATCH_CALLERS = 8;
const FUNCTION_RATE_MAX = 60_000;

/** First bars (issue 2) and the next (issue 3), as a share of the baseline. */
const BARS = { 'http-reserve': [0.25, 0.4], 'stream-reserve': [0.3, 0.5], 'batch-reserve': [undefined, 0.7] };

/** Everything in one run on one machine, interleaved; the median round of each. Only ratios mean something. */
export async function run(args) {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' }, only: { type: 'string' } },
  });
  const seconds = Number(values.seconds);
  const world = await openWorld();
  try {
    const scenarios = (await scenariosOf(world)).filter(({ name }) => !values.only || values.only.split(',').includes(name));
    for (const { load } of scenarios) await load(1.5);
    const results = new Map(scenarios.map(({ name }) => [name, []]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const scenario of scenarios) results.get(scenario.name).push(await measure(world, scenario, seconds));
    }
    report(rowsOf(scenarios, results));
  } finally {
    await world.close();
  }
}

async function scenariosOf({ database, subjects, token, ports }) {
  const ids = subjects.map((subject) => formatId('sub', subject));
  let turn = 0;
  const wire = () => ({
    subject: ids[turn++ % SUBJECTS],
    service: 'checkout',
    amount: { amount: '1.99', currency: 'CNY' },
    mode: 'RESERVE',
  });
  const bearer = await token();
  const nextHttp = () => ({
    headers: `authorization: Bearer ${bearer}\r\nidempotency-key: ${randomUUID()}\r\n`,
    body: JSON.stringify(wire()),
  });
  const nextGrpc = () => ({ ...wire(), idempotencyKey: randomUUID() });
  const policy = await new PgPolicies(database).findActive();
  const standing = { score: { value: 720, version: 'test-1' }, factors: [], restrictions: [] };
  const channel = connect(ports.grpc, bearer);
  const http = (port) => (untilMs) => httpLoad({ port, connections: HTTP_CONNECTIONS, untilMs, next: nextHttp });
  const timed = (work) => async (seconds) => {
    const startMs = performance.now();
    const { done, latencies } = await work(startMs + seconds * 1000);
    return { done, latencies, seconds: (performance.now() - startMs) / 1000 };
  };
  return [
    { name: 'echo', load: timed(http(ports.echo)) },
    { name: 'function', writes: true, load: functionScenario({ database, policy, standing, wire, timed }) },
    { name: 'http-reserve', writes: true, baseline: 'echo', load: timed(http(ports.http)) },
    {
      name: 'stream-reserve',
      writes: true,
      baseline: 'function',
      load: timed((untilMs) => streamLoad({ ...channel, streams: STREAMS, window: STREAM_WINDOW, untilMs, next: nextGrpc })),
    },
    {
      name: 'batch-reserve',
      writes: true,
      baseline: 'function',
      load: timed((untilMs) => batchLoad({ ...channel, callers: BATCH_CALLERS, items: 100, untilMs, next: nextGrpc })),
    },
  ];
}

function functionScenario({ database, policy, standing, wire, timed }) {
  return async (seconds) => {
    const types = await batchTypes(database);
    const batches = prepareBatches({
      types,
      policy,
      standing,
      next: wire,
      batches: Math.ceil((FUNCTION_RATE_MAX * seconds) / BATCH_ITEMS),
    });
    return await timed((untilMs) => functionLoad({ database, batches, untilMs }))(seconds);
  };
}

/** What was acknowledged must be there, and nothing else. */
async function measure({ database, api }, { name, load, writes }, seconds) {
  const before = await countDecisions(database);
  const spentMs = await cpuOf(database, api);
  const result = await load(seconds);
  const perItem = (ms) => Math.round((ms * 10_000) / result.done) / 10;
  const [apiCpuUs, pgCpuUs] = (await cpuOf(database, api)).map((ms, i) => perItem(ms - spentMs[i]));
  const written = (await countDecisions(database)) - before;
  if (written !== (writes ? result.done : 0)) throw new Error(`${name}: ${result.done} acknowledged, ${written} rows`);
  result.latencies.sort((a, b) => a - b);
  const at = (share) => result.latencies[Math.floor(result.latencies.length * share)];
  const row = { rate: result.done / result.seconds, p50Ms: at(0.5), p99Ms: at(0.99), rssMiB: api.rssMiB(), apiCpuUs, pgCpuUs };
  console.log(`${name.padEnd(15)} ${row.rate.toFixed(0).padStart(7)}/s  api ${apiCpuUs} us  postgres ${pgCpuUs} us`);
  return row;
}

/** decision-api, and the PostgreSQL processes that serve this database. */
async function cpuOf(database, api) {
  const rows = await database.query('SELECT pid FROM pg_stat_activity WHERE datname = current_database()');
  return [api.cpuMs(), rows.reduce((sum, { pid }) => sum + cpuMs(pid), 0)];
}

async function countDecisions(database) {
  const [{ n }] = await database.query('SELECT count(*) AS n FROM decisions');
  return Number(n);
}

function rowsOf(scenarios, results) {
  const median = new Map(
    [...results].map(([name, rounds]) => [name, [...rounds].sort((a, b) => a.rate - b.rate)[Math.floor(rounds.length / 2)]]),
  );
  const round = (value) => Math.round(value * 100) / 100;
  return scenarios.map(({ name, baseline }) => {
    const { rate, p50Ms, p99Ms, rssMiB, apiCpuUs, pgCpuUs } = median.get(name);
    const ratio = baseline && median.has(baseline) ? round(rate / median.get(baseline).rate) : null;
    return {
      name,
      rate: Math.round(rate),
      unit: 'per second',
      p50Ms: round(p50Ms),
      p99Ms: round(p99Ms),
      rssMiB,
      apiCpuUs,
      pgCpuUs,
      baseline: baseline ?? null,
      ratio,
    };
  });
}

function report(rows) {
  const [first, next] = [0, 1].map((i) => Object.fromEntries(Object.entries(BARS).map(([name, bars]) => [name, bars[i]])));
  console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, { ...row, bar: first[name], nextBar: next[name] }])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/decisions.json', `${JSON.stringify(rows, null, 2)}\n`);
  const missed = rows.filter(({ name, ratio }) => ratio !== null && first[name] !== undefined && ratio < first[name]);
  for (const { name, ratio } of missed) console.error(`${name}: ${ratio} is below the bar of ${first[name]}`);
  if (missed.length > 0) process.exitCode = 1;
}
