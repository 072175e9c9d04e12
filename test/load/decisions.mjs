import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { addSubjects } from '#decisions/testing/subjects';
import { scenariosOf } from './decision-scenarios.mjs';
import { openWorld, serverCpuMs, SUBJECTS } from './world.mjs';

/** Issue 2 and issue 3: the least share of the baseline, and other bounds of a row. */
const BARS = {
  'http-reserve': { ratio: 0.25, next: 0.4, rssMiBMax: 400 },
  'http-evaluate': { next: 0.45 },
  'stream-reserve': { ratio: 0.3, next: 0.5, rateMin: 12_250 },
  'batch-reserve': { next: 0.7 },
  'half-load': { p99MsMax: 20 },
  'two-small': { next: 1.2 },
  // Of p99 here: that with a million subjects over that with ten thousand.
  'half-load-1m': { ratioMax: 1.3 },
};

const SUBJECTS_PER_INSERT = 50_000;
const SETTLED_MS = 200;

/** Everything in one run on one machine, interleaved; the median round of each. Only ratios and CPU times mean something elsewhere. */
export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
      subjects: { type: 'string', default: '1000000' },
    },
  });
  const wanted = ({ name }) => !values.only || values.only.split(',').includes(name);
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  const world = await openWorld();
  try {
    const { interleaved, afterwards } = await scenariosOf(world);
    const scenarios = interleaved.filter(wanted);
    for (const { load } of scenarios) await load(1.5);
    const results = new Map(scenarios.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const scenario of scenarios) results.get(scenario.name).push(await measure(world, scenario, seconds));
    }
    const medians = new Map([...results].map(([name, found]) => [name, medianOf(found)]));
    const rows = scenarios.map((scenario) => rowOf(scenario, medians));
    for (const scenario of afterwards.filter(wanted)) {
      if (scenario.crowd) await addCrowd(world, Number(values.subjects));
      await scenario.before?.(world);
      await scenario.load(1.5, medians);
      medians.set(scenario.name, await measure(world, scenario, seconds, medians));
      rows.push(rowOf(scenario, medians));
    }
    await refuseInexact(world.database);
    report(rows);
  } finally {
    await world.close();
  }
}

/** A million subjects are measured, not that they were loaded a moment ago: statistics are made and pages written, as after any bulk load. */
async function addCrowd({ database, subjects, settle }, count) {
  while (subjects.length < count) subjects.push(...(await addSubjects(database, Math.min(SUBJECTS_PER_INSERT, count - subjects.length))));
  await settle();
}

/** What was acknowledged must be there, and nothing else. */
async function measure({ database, api, others }, { name, load, writes }, seconds, medians) {
  const processes = [api, ...others];
  const before = await countSettled(database);
  const spentMs = await cpuOf(database, processes);
  const result = await load(seconds, medians);
  const perItem = (ms) => Math.round((ms * 10_000) / result.done) / 10;
  const [apiCpuUs, pgCpuUs] = (await cpuOf(database, processes)).map((ms, i) => perItem(ms - spentMs[i]));
  const written = (await countSettled(database)) - before;
  const beyond = written - (writes ? result.done : 0);
  if (beyond < 0 || beyond > (writes ? (result.underWay ?? 0) : 0))
    throw new Error(`${name}: ${result.done} acknowledged, ${written} rows`);
  const row = {
    rate: result.done / result.seconds,
    ...percentiles(result.latencies),
    rssMiB: Math.max(...processes.map((process) => process.rssMiB())),
    apiCpuUs,
    pgCpuUs,
    ...(result.refused?.length > 0 ? { refused: result.refused.length, refusedP99Ms: percentiles(result.refused).p99Ms } : {}),
  };
  console.log(`${name.padEnd(15)} ${row.rate.toFixed(0).padStart(7)}/s  api ${apiCpuUs} us  postgres ${pgCpuUs} us`);
  return row;
}

function percentiles(latencies) {
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(latencies.length * share)];
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** The decision-api processes, and PostgreSQL with all that it does for itself. */
async function cpuOf(database, processes) {
  const [{ pid }] = await database.query('SELECT pg_backend_pid() AS pid');
  return [processes.reduce((total, process) => total + process.cpuMs(), 0), serverCpuMs(pid)];
}

/** Who hung up may still be decided about. */
async function countSettled(database) {
  for (let counted = await countDecisions(database); ;) {
    await pause(SETTLED_MS);
    const again = await countDecisions(database);
    if (again === counted) return counted;
    counted = again;
  }
}

async function countDecisions(database) {
  const [{ n }] = await database.query('SELECT count(*) AS n FROM decisions');
  return Number(n);
}

/** However many processes decided: every counter holds exactly what the reservations of its subject hold, and numbers have no gap. */
async function refuseInexact(database) {
  const [{ n }] = await database.query(
    `SELECT count(*) AS n
       FROM (SELECT shard, subject, sum(amount_minor) AS held FROM reservations WHERE state = 'RESERVED' GROUP BY shard, subject) r
       FULL JOIN (SELECT shard, subject, sum(reserved_minor) AS held FROM usage WHERE counter = 'all-day/CNY' GROUP BY shard, subject) u
            USING (shard, subject)
      WHERE r.held IS DISTINCT FROM u.held`,
  );
  const [{ gaps }] = await database.query(
    `SELECT count(*) AS gaps FROM (
       SELECT h.shard FROM shard_heads h LEFT JOIN (SELECT shard, seq FROM facts UNION ALL SELECT shard, seq FROM decisions) f USING (shard)
        GROUP BY h.shard, h.last_seq HAVING count(f.seq) <> h.last_seq) g`,
  );
  if (Number(n) + Number(gaps) > 0) throw new Error(`${n} subjects' counters and reservations differ, ${gaps} shards have gaps`);
}

function medianOf(rows) {
  return [...rows].sort((a, b) => a.rate - b.rate)[Math.floor(rows.length / 2)];
}

function rowOf({ name, baseline, ratioOf = 'rate' }, medians) {
  const round = (value) => Math.round(value * 100) / 100;
  const { rate, p50Ms, p99Ms, refusedP99Ms, ...rest } = medians.get(name);
  const ratio = baseline && medians.has(baseline) ? round(medians.get(name)[ratioOf] / medians.get(baseline)[ratioOf]) : null;
  return {
    ...{ name, rate: Math.round(rate), unit: 'per second', p50Ms: round(p50Ms), p99Ms: round(p99Ms), ...rest },
    ...(refusedP99Ms === undefined ? {} : { refusedP99Ms: round(refusedP99Ms) }),
    ...{ baseline: baseline ?? null, ratio },
  };
}

const CHECKS = {
  ratio: ({ ratio }, least) => ratio === null || ratio >= least,
  next: ({ ratio }, least) => ratio === null || ratio >= least,
  ratioMax: ({ ratio }, most) => ratio === null || ratio <= most,
  rateMin: ({ rate }, least) => rate >= least,
  p99MsMax: ({ p99Ms }, most) => p99Ms <= most,
  rssMiBMax: ({ rssMiB }, most) => rssMiB <= most,
};

/** Falling below the first bar fails the run; the others are told. */
function report(rows) {
  const misses = rows.flatMap((row) =>
    Object.entries(BARS[row.name] ?? {}).flatMap(([check, bound]) => (CHECKS[check](row, bound) ? [] : [{ row, check, bound }])),
  );
  const missed = (name) => misses.filter(({ row }) => row.name === name).map(({ check, bound }) => `${check} ${bound}`);
  const columns = ['rate', 'p50Ms', 'p99Ms', 'rssMiB', 'apiCpuUs', 'pgCpuUs', 'refused', 'refusedP99Ms', 'baseline', 'ratio', 'missed'];
  console.table(Object.fromEntries(rows.map((row) => [row.name, { ...row, missed: missed(row.name).join(', ') }])), columns);
  console.log(`${SUBJECTS} subjects; CPU in microseconds per item; counters equal reservations, numbers have no gap`);
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/decisions.json', `${JSON.stringify(rows, null, 2)}\n`);
  if (misses.some(({ check }) => check === 'ratio')) process.exitCode = 1;
}
