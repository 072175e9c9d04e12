// What comparing record sets costs: a million against a million with a hundred differences, and keeping the index beside what accepting costs.
import { hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as pause, setTimeout as delay } from 'node:timers/promises';
import { Initiator, packItem, respond, SetTree } from '#evidence';
import { formatId, uuidV7 } from '#kernel';
import { RecordSets } from '#records';
import { PgRecordSetSource } from '#records/adapters/pg-record-set-source';
import { BankClient, RecordFile, writeBatch } from '#sdk';
import { openExchangeWorld } from './exchange-world.mjs';

const ITEMS = 1_000_000;
const DIFFERENCES = 100;
const BAR = { rounds: 3, kilobytes: 350, ms: 300 };
const LINES = 40_000;
const FRAME_BYTES = 256 * 1024;
const DAY_MS = 86_400_000;

const sha256 = (bytes) => hash('sha256', bytes, 'buffer');

export async function measure({ rounds }) {
  const compared = compareMillions(rounds);
  const world = await openExchangeWorld();
  try {
    return [compared, ...(await upkeep(world, rounds))];
  } finally {
    await world.close();
  }
}

/** Both sides in this process, their trees warm: what the protocol and the trees take, without the wire. */
function compareMillions(rounds) {
  const [asking, answering] = millions();
  const times = [];
  let initiator;
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    initiator = new Initiator(asking, { roundsMax: 100, bytesMax: 1e9, differencesMax: 1e6 });
    for (let message = initiator.begin(); message;) message = initiator.next(answered(answering, message));
    times.push(performance.now() - startMs);
    if (initiator.have.size + initiator.need.size !== DIFFERENCES) throw new Error('not all differences were found');
  }
  const ms = Math.round(middle(times));
  const kilobytes = Math.round(initiator.bytes / 1_000);
  const met = initiator.rounds <= BAR.rounds && kilobytes <= BAR.kilobytes && ms <= BAR.ms;
  const bar = `${BAR.rounds} rounds, ${BAR.kilobytes} KB, ${BAR.ms} ms`;
  return { name: 'sameness-1M-1M-100', rounds: initiator.rounds, kilobytes, ms, bar, met };
}

function millions() {
  const items = Array.from({ length: ITEMS + DIFFERENCES / 2 }, (_, n) =>
    packItem(1_700_000_000 + Math.floor(n / 12), sha256(Buffer.from(`${n}`)), n),
  );
  const every = Math.floor(items.length / (DIFFERENCES / 2));
  const side = (offset) => {
    const editor = SetTree.empty.edit();
    const held = items.filter((_, n) => n % every !== offset || n >= every * (DIFFERENCES / 2));
    for (let at = 0; at < held.length; at += 4_096) editor.add(Buffer.concat(held.slice(at, at + 4_096)));
    return { items: editor.tree(), sha256, frameBytesMax: FRAME_BYTES };
  };
  return [side(1), side(Math.floor(every / 2))];
}

function answered(side, message) {
  const steps = respond(side, message);
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

/** The same records accepted (a sealed batch: the cheapest way in), then taken into an index: CPU of all processes, per record. */
async function upkeep(world, rounds) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-sameness-'));
  const bank = new BankClient({ origin: world.origin, ...world.tls, signingKey: world.signingKey });
  try {
    const lines = Array.from({ length: LINES }, (_, n) => payload(world.refs[n % world.refs.length], n));
    const acceptedMs = await accept(world, bank, path.join(folder, 'batch'), lines);
    const source = new PgRecordSetSource(world.database);
    const collecting = Object.assign(Object.create(source), { kept: async function* () {}, keep: async (_bank, _from, to) => to });
    const collected = middle(await repeated(rounds, () => taken(world, collecting)));
    await taken(world, source);
    const fromPages = middle(await repeated(rounds, () => taken(world, source)));
    const microseconds = (ms) => Math.round(ms * 1_000 * 10) / 10;
    const ratio = Math.round((acceptedMs / collected) * 10) / 10;
    return [
      { name: 'sameness-accepting', cpuMicroseconds: microseconds(acceptedMs), unit: 'per record' },
      {
        name: 'sameness-index-upkeep',
        cpuMicroseconds: microseconds(collected),
        unit: 'per record',
        baseline: 'sameness-accepting',
        ratio,
        bar: 1,
        met: ratio > 1,
      },
      { name: 'sameness-index-restart', cpuMicroseconds: microseconds(fromPages), unit: 'per record' },
      await throughTheDoor(bank, path.join(folder, 'held'), lines),
    ];
  } finally {
    await bank.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const now = Date.now();

function payload(ref, n) {
  const record = {
    ...{
      iss: 'bank-a',
      sub: formatId('lnk', ref),
      jti: uuidV7(now, randomBytes(10)),
      seq: now * 1_000 + n,
      iat: Math.floor(now / 1_000) - (n % 5_000),
    },
    ...{ kind: 'rating', asOf: new Date(now).toISOString(), validUntil: new Date(now + 90 * DAY_MS).toISOString() },
    rating: { score: 600 + (n % 300), scale: { min: 350, max: 950 }, band: 'A', factors: [], model: { id: 'bench', version: '1' } },
  };
  return JSON.stringify(record);
}

async function accept(world, bank, file, lines) {
  await writeBatch(file, lines, { seal: { iss: 'bank-a', key: world.signingKey } });
  const before = cpuMs(world);
  const { id } = await bank.batches.submit(file);
  const { lines: done } = await bank.batches.wait(id);
  if (done.accepted !== LINES) throw new Error(`${done.accepted} of ${LINES} lines were accepted`);
  const spent = cpuMs(world) - before;
  while (await unsealed(world)) await delay(100);
  return spent / LINES;
}

async function unsealed({ database }) {
  const [{ waiting }] = await database.query(
    `SELECT (SELECT count(*) FROM log_cursors JOIN shard_heads USING (shard) WHERE sealed_seq < last_seq) + (SELECT count(*) FROM log_state WHERE published_size < size) AS waiting`,
  );
  return waiting > 0n;
}

/** One index from nothing: CPU of PostgreSQL and of this process, ms per record. */
async function taken(world, source) {
  const sets = new RecordSets(source, () => pause());
  const [before, own] = [world.cpuSeconds().postgres, process.cpuUsage()];
  const { count } = await sets.snapshot('bank-a', { set: 'issued' });
  const { user, system } = process.cpuUsage(own);
  if (count < LINES) throw new Error(`${count} of ${LINES} records stand in the log`);
  return ((world.cpuSeconds().postgres - before) * 1_000 + (user + system) / 1_000) / count;
}

async function throughTheDoor(bank, file, lines) {
  const held = await RecordFile.open(file);
  for (const line of lines.filter((_, n) => n % 4_000 !== 7)) held.held = held.held.with(itemOf(line));
  await bank.reconcileRecords(held);
  const startMs = performance.now();
  const { need, rounds, bytes } = await bank.reconcileRecords(held);
  const ms = Math.round(performance.now() - startMs);
  await held.close();
  if (need.length !== LINES / 4_000) throw new Error(`${need.length} differences were found`);
  return { name: `sameness-door-${LINES / 1_000}k-${need.length}`, rounds, kilobytes: Math.round(bytes / 1_000), ms };
}

function itemOf(line) {
  return packItem(JSON.parse(line).iat, sha256(Buffer.from(line)), 0);
}

function cpuMs(world) {
  const { gateway, worker, postgres } = world.cpuSeconds();
  return (gateway + worker + postgres) * 1_000;
}

async function repeated(times, work) {
  const results = [];
  for (let i = 0; i < times; i++) results.push(await work());
  return results;
}

const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
