// 1,000 events a second to 50 banks by webhook, while 5 of them accept connections and never answer. Latency is from the commit of an event to
// its arrival at the bank's receiver, over real TLS, through a real worker.
import { fork } from 'node:child_process';
import { systemClock } from '#kernel';
import { Webhooks } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgStandingBook } from '#standing/adapters/pg-standing-book';
import { PgWebhookBook } from '#standing/adapters/pg-webhook-book';
import { openEventsWorld } from './events-world.mjs';

const BANKS = 50;
const HANGING = 5;
const EVENTS_PER_SECOND = 1_000;
const SUBJECTS_PER_BANK = 200;
const TICK_MS = 50;
const p99MsMax = 2_000;

export async function measure({ seconds, perSecond = EVENTS_PER_SECOND }) {
  const world = await openEventsWorld();
  const receivers = await startReceivers(world);
  try {
    await registerBanks(world, receivers);
    await receivers.ask('forget');
    const before = world.cpuMs();
    const sent = await tell(world.database, seconds, perSecond);
    const { latencies, repeated } = await receivers.until(sent.healthy);
    const after = world.cpuMs();
    const cpuMs = (who) => Math.round((100 * (after[who] - before[who])) / latencies.length) / 100;
    return [row({ sent, latencies, repeated, queues: world.queues, perSecond, cpuMs })];
  } finally {
    receivers.stop();
    await world.close();
  }
}

function row({ sent, latencies, repeated, queues, perSecond, cpuMs }) {
  latencies.sort((a, b) => a - b);
  const at = (share) => Math.round(latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))]);
  const rate = Math.round(sent.all / sent.seconds);
  const [p50Ms, p99Ms, maxMs] = [at(0.5), at(0.99), at(1)];
  return {
    ...{ name: `events to ${BANKS} webhooks, ${HANGING} hang`, rate, p50Ms, p99Ms, maxMs, arrived: latencies.length, repeated },
    queues,
    ...{ workerCpuMs: cpuMs('worker'), postgresCpuMs: cpuMs('postgres') },
    bar: `${perSecond}/s, p99 ${p99MsMax} ms`,
    met: rate >= 0.98 * perSecond && p99Ms <= p99MsMax && latencies.length === sent.healthy,
  };
}

async function startReceivers({ home }) {
  const child = fork(new URL('./events-receivers.mjs', import.meta.url), [home], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const heard = () => new Promise((resolve) => child.once('message', resolve));
  const { port } = await heard();
  const ask = (what) => {
    child.send(what);
    return heard();
  };
  return {
    urlOf: (i) => `https://localhost:${port}/${i < HANGING ? 'hang' : 'well'}/${i}`,
    ask,
    async until(count) {
      const deadline = Date.now() + 60_000;
      for (;;) {
        const { arrived } = await ask('count');
        if (arrived >= count || Date.now() > deadline) return await ask('latencies');
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    stop: () => child.kill(),
  };
}

const bank = (i) => `webhook-${i}`;

async function registerBanks({ database }, { urlOf }) {
  const book = new PgWebhookBook(database);
  const webhooks = new Webhooks(book, nodeClerk, systemClock);
  for (let i = 0; i < BANKS; i++) {
    await database.query(
      `INSERT INTO participants (id, name, state, version, created_at, changed_at) VALUES ($1, $1, 'ACTIVE', 1, now(), now())`,
      [bank(i)],
    );
    await webhooks.register(bank(i), { url: urlOf(i), kinds: [] });
  }
  const deadline = Date.now() + 30_000;
  while ((await book.list()).some(({ confirmedAt }) => !confirmedAt)) {
    if (Date.now() > deadline) throw new Error('not every receiver was confirmed');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The same number for every bank, spread over its subjects, at a steady rate. */
async function tell(database, seconds, perSecond) {
  const startMs = performance.now();
  const total = perSecond * seconds;
  let n = 0;
  while (n < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1_000) * perSecond));
    if (due > n) {
      const events = Array.from({ length: due - n }, (_, i) => event(n + i));
      await database.transaction((tx) => new PgStandingBook(tx).addEvents(events));
      n = due;
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  return { all: n, healthy: (n / BANKS) * (BANKS - HANGING), seconds: (performance.now() - startMs) / 1_000 };
}

function event(n) {
  const at = new Date();
  const subject = Math.floor(n / BANKS) % SUBJECTS_PER_BANK;
  const ref = { shard: 0, uuid: `00000000-0000-7000-8000-${String(subject).padStart(12, '0')}` };
  const origin = { shard: 0, seq: BigInt(n + 1), at };
  return { participant: bank(n % BANKS), ref, kind: 'rating.changed', body: { n, toldAtMs: at.getTime() }, id: nodeClerk.uuid(at), origin };
}
