import { randomUUID } from 'node:crypto';
import { batchTypes } from '#decisions/adapters/batch-columns';
import { formatId } from '#kernel';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { closedLoad } from './closed-load.mjs';
import { BATCH_ITEMS, functionLoad, prepareBatches } from './function-load.mjs';
import { batchLoad, connect, streamLoad } from './grpc-load.mjs';
import { httpLoad, pacedLoad } from './http-load.mjs';
import { throttled } from './world.mjs';

const HTTP_CONNECTIONS = 512;
const OVERLOAD_CONNECTIONS = 8_000;
const STREAMS = 4;
const STREAM_WINDOW = 256;
const BATCH_CALLERS = 8;
const BATCH_CALL_ITEMS = 100;
/** Of a core: two such processes, the client and PostgreSQL leave room on two cores. */
const SMALL = 0.3;
const FUNCTION_RATE_MAX = 40_000;

/** What is measured in turns, and what is measured once afterwards because it builds on that. */
export async function scenariosOf(world) {
  const { database, subjects, token, ports } = world;
  world.others = [];
  let turn = 0;
  const ids = new Map();
  // Ids are written once: the client shares the machine with what it measures.
  const idOf = (subject) => ids.get(subject) ?? ids.set(subject, formatId('sub', subject)).get(subject);
  const wire = (mode = 'RESERVE') => ({
    subject: idOf(subjects[turn++ % subjects.length]),
    service: 'checkout',
    amount: { amount: '1.99', currency: 'CNY' },
    mode,
  });
  const bearer = await token();
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const reserve = () => ({ headers: { ...headers, 'idempotency-key': randomUUID() }, body: JSON.stringify(wire()) });
  const look = () => ({ headers, body: JSON.stringify(wire('EVALUATE')) });
  const nextGrpc = () => ({ ...wire(), idempotencyKey: randomUUID() });
  const channel = connect(ports.grpc, bearer);
  const http = (port, next) => closedLoad({ ports: () => [port], connections: HTTP_CONNECTIONS, next });
  const stream = (untilMs) => streamLoad({ ...channel, streams: STREAMS, window: STREAM_WINDOW, untilMs, next: nextGrpc });
  const batch = (untilMs) => batchLoad({ ...channel, callers: BATCH_CALLERS, items: BATCH_CALL_ITEMS, untilMs, next: nextGrpc });
  const half = async (seconds, medians) => {
    const rate = (medians.get('http-reserve') ?? medians.get('half-load')).rate / (medians.has('http-reserve') ? 2 : 1);
    return await timed((untilMs) => pacedLoad({ ports: [ports.http], connections: HTTP_CONNECTIONS, rate, untilMs, next: reserve }))(
      seconds,
    );
  };
  const both = closedLoad({
    ports: () => [ports.http, ...world.others.map(({ port }) => port)],
    connections: HTTP_CONNECTIONS,
    next: reserve,
  });
  const second = async () => {
    if (world.others.length === 0) world.others.push(await world.another());
  };
  return {
    interleaved: [
      { name: 'echo', load: http(ports.echo, reserve) },
      { name: 'function', writes: true, load: await functionScenario(database, wire) },
      { name: 'http-reserve', writes: true, baseline: 'echo', load: http(ports.http, reserve) },
      { name: 'http-evaluate', baseline: 'echo', load: http(ports.http, look) },
      { name: 'stream-reserve', writes: true, baseline: 'function', load: timed(stream) },
      { name: 'batch-reserve', writes: true, baseline: 'function', load: timed(batch) },
    ],
    afterwards: [
      { name: 'half-load', writes: true, load: half },
      // Half the callers at each of two processes on the same two cores: what a decision costs then.
      {
        name: 'two-processes',
        writes: true,
        baseline: 'http-reserve',
        before: second,
        load: both,
      },
      { name: 'small-process', writes: true, load: small(world, http(ports.http, reserve)) },
      {
        name: 'two-small',
        writes: true,
        before: second,
        baseline: 'small-process',
        load: small(world, both),
      },
      { name: 'half-load-1m', writes: true, crowd: true, baseline: 'half-load', ratioOf: 'p99Ms', load: half },
      // Last, because eight thousand connections leave a large heap behind.
      { name: 'overload', writes: true, load: http8000(ports, reserve) },
    ],
  };
}

/** Each process has but a share of a core and is the bottleneck: what a second one adds where there is room for it. */
function small({ api, others }, load) {
  return (seconds) =>
    throttled(
      SMALL,
      [api, ...others].map(({ pid }) => pid),
      () => load(seconds),
    );
}

function http8000({ http }, next) {
  return timed((untilMs) => httpLoad({ ports: [http], connections: OVERLOAD_CONNECTIONS, untilMs, next, refusals: true }));
}

function timed(work) {
  return async (seconds) => {
    const startMs = performance.now();
    const result = await work(startMs + seconds * 1000);
    return { ...result, seconds: (performance.now() - startMs) / 1000 };
  };
}

async function functionScenario(database, next) {
  const policy = await new PgPolicies(database).findActive();
  const standing = { score: { value: 720, version: 'test-1' }, factors: [], restrictions: [] };
  const types = await batchTypes(database);
  return async (seconds) => {
    const batches = prepareBatches({ types, policy, standing, next, batches: Math.ceil((FUNCTION_RATE_MAX * seconds) / BATCH_ITEMS) });
    return await timed((untilMs) => functionLoad({ database, batches, untilMs }))(seconds);
  };
}
