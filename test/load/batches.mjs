// What batches of records cost, through the gateway's door and the worker, against bare verification of their signatures on both cores.
import { createHash, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Agent, request } from 'undici';
import { createHttpSigner, encodeBase64Url, GrowingTree, leafHash, nodeCrypto, signRequest } from '#evidence';
import { formatId, systemClock, uuidV7 } from '#kernel';
import { Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { records, signedBefore } from './exchange.mjs';
import { openExchangeWorld } from './exchange-world.mjs';
import { storedRefs, storeRecords } from './stored-records.mjs';
import { connectAll } from './tls-load.mjs';

const DAY_MS = 86_400_000;
const KID = 'bench-es256';
const LINES_AT_ONCE = 8_192;
/** A bank says little of one customer at a time; a subject has at most 500 records in force from one. */
const LINES_PER_SUBJECT = 10;
/** A worker's first lines cost more than all after them. */
const WARM_UP_LINES = 30_000;
const STORED_FEW = 100_000;
const MEASURED_LINES = 50_000;
const SINGLE_SUBJECTS = 8_000;
const SINGLE_CONNECTIONS = 96;
const POLL_MS = 100;
/** Beyond those that single records have. */
let seq = Date.now() * 2_000;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      lines: { type: 'string', default: '60000' },
      sealed: { type: 'string', default: '500000' },
      /** How many records are to be stored when the cost of a record is measured again; 0: not measured. */
      stored: { type: 'string', default: '0' },
    },
  });
  const world = await openExchangeWorld();
  try {
    world.refs.push(...(await linkMore(world, Number(values.lines) / LINES_PER_SUBJECT)));
    const es256 = addKey(world);
    await signedBatch(world, es256, WARM_UP_LINES);
    const bare = await bareVerify(es256, 4_000);
    const signed = await signedBatch(world, es256, Number(values.lines));
    const sealed = await sealedBatch(world, Number(values.sealed));
    const rows = [
      { name: 'es256-verify-all-cores', ...bare, unit: 'signatures/s' },
      { name: 'signed-lines', ...signed, unit: 'lines/s', baseline: 'es256-verify-all-cores', ratio: signed.rate / bare.rate, bar: 0.5 },
      { name: 'sealed-lines-received', ...sealed, unit: 'lines/s', bar: 100_000 },
    ];
    report(rows);
    if (Number(values.stored) > 0) report([...rows, ...(await costWithStored(world, Number(values.stored)))]);
  } finally {
    await world.close();
  }
}

/** A signing key of the algorithm that the bar is about, added as an operator would. */
function addKey(world) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'tallystick-key-')), 'key.json');
  writeFileSync(file, JSON.stringify({ ...publicKey.export({ format: 'jwk' }), kid: KID, alg: 'ES256' }));
  const added = world.command('keys', 'add', 'bank-a', file);
  rmSync(path.dirname(file), { recursive: true });
  if (added.status !== 0) throw new Error(added.stdout + added.stderr);
  return { privateKey, publicKey };
}

/** `crypto.verify` of ES256 and nothing else, on as many threads as there are cores. */
async function bareVerify({ privateKey, publicKey }, ms) {
  const data = randomBytes(600);
  const signature = sign('sha256', data, privateKey);
  const program = `const { parentPort, workerData: { publicKey, data, signature, ms } } = require('node:worker_threads');
    const { verify } = require('node:crypto');
    let done = 0;
    for (const untilMs = performance.now() + ms; performance.now() < untilMs; done++) verify('sha256', data, publicKey, signature);
    parentPort.postMessage(done);`;
  const before = process.cpuUsage();
  const threads = Array.from(
    { length: availableParallelism() },
    () => new Worker(program, { eval: true, workerData: { publicKey, data, signature, ms } }),
  );
  const counts = await Promise.all(threads.map(async (thread) => (await once(thread, 'message'))[0]));
  const { user, system } = process.cpuUsage(before);
  const done = counts.reduce((sum, count) => sum + count, 0);
  return { rate: (done * 1000) / ms, cpuUs: Math.round((user + system) / done) };
}

async function signedBatch(world, { privateKey }, count) {
  const protectedHeader = base64({ alg: 'ES256', kid: KID, typ: 'credit-record+jwt' });
  const lines = Array.from({ length: count }, (_, i) => {
    const input = `${protectedHeader}.${base64(payloadOf(refOf(world, i)))}`;
    return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  });
  const cost = costOf(world, count);
  const startMs = performance.now();
  const { id } = await send(world, '/v1/record-batches', [Buffer.from(lines.join('\n'))]);
  const took = (await untilDone(world, id, count)) - startMs;
  return { rate: (count * 1000) / took, ...cost(), rssMiB: world.rssMiB('worker') };
}

/** CPU of a line by process from now on, in microseconds: unlike the rate it does not count what else the machine does. */
function costOf(world, count) {
  const before = world.cpuSeconds();
  return () => {
    const after = world.cpuSeconds();
    const cpuUs = (app) => Math.round(((after[app] - before[app]) * 1e6) / count);
    const [gatewayCpuUs, workerCpuUs, postgresCpuUs] = ['gateway', 'worker', 'postgres'].map(cpuUs);
    return { gatewayCpuUs, workerCpuUs, postgresCpuUs, cpuUs: gatewayCpuUs + workerCpuUs + postgresCpuUs };
  };
}

/**
 * What a single record and a sealed line cost, from the door to the record, when few records are stored and when `stored` are. Those are stored by SQL;
 * twice PostgreSQL has just written a checkpoint, which is the worst moment.
 */
async function costWithStored(world, stored) {
  const firstMs = Date.now() - 2 * DAY_MS;
  const few = await costWith(world, 0, STORED_FEW, firstMs);
  const many = await costWith(world, STORED_FEW, stored, firstMs);
  return ['single', 'sealed-lines', 'sealed-lines-again'].flatMap((what) => {
    const name = (count) => `${what}-with-${count}-stored`;
    const ratio = many[what].cpuUs / few[what].cpuUs;
    return [
      { name: name(STORED_FEW), ...few[what] },
      { name: name(stored), ...many[what], baseline: name(STORED_FEW), ratio, bar: 1.3 },
    ];
  });
}

/** Stores what is missing, then accepts records about subjects spread over all of them. */
async function costWith(world, have, wanted, firstMs) {
  const subjects = wanted / LINES_PER_SUBJECT;
  await storeRecords(world.database, have / LINES_PER_SUBJECT, subjects, firstMs);
  await world.settle();
  const refs = await storedRefs(world.database, subjects, SINGLE_SUBJECTS, firstMs);
  const single = await recordsAlone({ ...world, refs });
  const lines = { ...world, refs: await storedRefs(world.database, subjects, MEASURED_LINES / LINES_PER_SUBJECT, firstMs) };
  await world.settle(['CHECKPOINT']);
  const first = await workedOff(lines, MEASURED_LINES);
  await world.settle(['CHECKPOINT']);
  return { single, 'sealed-lines': first, 'sealed-lines-again': await workedOff(lines, MEASURED_LINES) };
}

/** Single records that the bank has signed before; the first seconds are not measured. */
async function recordsAlone(world) {
  const sockets = await connectAll({ ...world, options: world.tls, connections: SINGLE_CONNECTIONS });
  await records({ ...world, sockets }, 2, signedBefore);
  const { rate, cpuMs } = await records({ ...world, sockets }, 4, signedBefore);
  for (const socket of sockets) socket.destroy();
  const cpuUs = (app) => Math.round(cpuMs(app) * 1_000);
  const [gatewayCpuUs, workerCpuUs, postgresCpuUs] = ['gateway', 'worker', 'postgres'].map(cpuUs);
  return { rate, gatewayCpuUs, workerCpuUs, postgresCpuUs, cpuUs: gatewayCpuUs + workerCpuUs + postgresCpuUs };
}

/** A sealed batch from the door to its records. */
async function workedOff(world, count) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-sealed-'));
  try {
    const file = path.join(folder, 'lines.ndjson');
    const manifest = Buffer.from(`${manifestOf(world, count, await writeLines(world, file, count))}\n`);
    const cost = costOf(world, count);
    const startMs = performance.now();
    const { id } = await send(world, '/v1/record-batches?profile=sealed', [manifest, file]);
    const took = (await untilDone(world, id, count)) - startMs;
    return { rate: (count * 1000) / took, ...cost(), rssMiB: world.rssMiB('worker') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Links more subjects, until there are so many. */
async function linkMore(world, wanted) {
  const subjects = new Subjects(new PgExchange(world.database), nodeClerk, systemClock);
  const one = async () => {
    const { id } = await subjects.register({ caller: 'bench', key: randomUUID(), kind: 'INDIVIDUAL' });
    return (await subjects.link(id, { participant: 'bank-a' })).link.ref;
  };
  const refs = [];
  while (world.refs.length + refs.length < wanted) refs.push(...(await Promise.all([one(), one(), one(), one()])));
  return refs;
}

/**
 * How fast the gateway takes, parses and checks, hashes and durably stores sealed lines: a fault of each would be told in its answer. That they become
 * records afterwards is the worker's.
 */
async function sealedBatch(world, count) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallystick-sealed-'));
  try {
    const file = path.join(folder, 'lines.ndjson');
    const root = await writeLines(world, file, count);
    const body = [Buffer.from(`${manifestOf(world, count, root)}\n`), file];
    const cost = costOf(world, count);
    const startMs = performance.now();
    const { faults } = await send(world, '/v1/record-batches?profile=sealed', body);
    if (faults.count !== 0) throw new Error(`lines were found wrong: ${JSON.stringify(faults)}`);
    const rate = (count * 1000) / (performance.now() - startMs);
    return { rate, gatewayCpuUs: cost().gatewayCpuUs, lines: count, rssMiB: world.rssMiB('gateway'), workerRssMiB: world.rssMiB('worker') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In pieces, so that ten million lines fit; answers the root over them. */
async function writeLines(world, file, count) {
  const tree = GrowingTree.restore(nodeCrypto, 0n, []);
  const handle = await open(file, 'w');
  for (let from = 0; from < count; from += LINES_AT_ONCE) {
    const length = Math.min(LINES_AT_ONCE, count - from);
    const lines = Array.from({ length }, (_, i) => JSON.stringify(payloadOf(refOf(world, from + i))));
    await tree.append(lines.map((line) => leafHash(nodeCrypto, Buffer.from(line))));
    await handle.appendFile(`${lines.join('\n')}\n`);
  }
  await handle.close();
  return await tree.root();
}

function manifestOf({ signingKey }, count, root) {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: 'bank-a', jti: uuidV7(Date.now(), randomBytes(10)), iat, count, root: encodeBase64Url(root) };
  const { kid, alg } = signingKey;
  const input = `${base64({ alg, kid, typ: 'record-batch+jwt' })}.${base64(claims)}`;
  return `${input}.${encodeBase64Url(createHttpSigner(signingKey).sign(Buffer.from(input)))}`;
}

/** What a bank says of one customer stands together. */
function refOf({ refs }, line) {
  return refs[Math.floor(line / LINES_PER_SUBJECT) % refs.length];
}

function payloadOf(ref) {
  const now = new Date();
  return {
    ...{ iss: 'bank-a', sub: formatId('lnk', ref), jti: uuidV7(now.getTime(), randomBytes(10)), seq: seq++ },
    ...{ iat: Math.floor(now.getTime() / 1000), kind: 'rating', asOf: now.toISOString() },
    validUntil: new Date(now.getTime() + 90 * DAY_MS).toISOString(),
    rating: { score: 600 + (seq % 300), scale: { min: 350, max: 950 }, band: 'A', factors: [], model: { id: 'bench', version: '1' } },
  };
}

function base64(value) {
  return encodeBase64Url(Buffer.from(JSON.stringify(value)));
}

/** `parts`: buffers, and names of files. */
async function send(world, target, parts) {
  const signer = createHttpSigner(world.signingKey);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of piecesOf(parts)) {
    hash.update(piece);
    sizeBytes += piece.length;
  }
  const digest = new Map([['sha-256', hash.digest()]]);
  const message = { method: 'POST', targetUri: `${world.origin}${target}`, headers: {} };
  const fields = signRequest(message, digest, signer, { at: new Date(), nonce: randomBytes(16).toString('base64url') });
  const head = { 'content-type': 'application/x-ndjson', 'content-length': String(sizeBytes), ...fields };
  return await call(world, 'POST', target, head, Readable.from(piecesOf(parts)));
}

async function* piecesOf(parts) {
  for (const part of parts) {
    if (Buffer.isBuffer(part)) yield part;
    else yield* createReadStream(part, { highWaterMark: 1024 * 1024 });
  }
}

async function untilDone(world, id, count) {
  for (;;) {
    const { state, lines } = await call(world, 'GET', `/v1/record-batches/${id}`, {});
    if (state === 'DONE' && lines.accepted === count) return performance.now();
    if (state === 'DONE') throw new Error(`lines were not accepted: ${JSON.stringify(lines)}`);
    await pause(POLL_MS);
  }
}

async function call(world, method, target, headers, body) {
  world.agent ??= new Agent({ connect: world.tls });
  const answer = await request(`${world.origin}${target}`, { method, headers, body, dispatcher: world.agent });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${target}: ${answer.statusCode} ${text}`);
  return JSON.parse(text);
}

function report(rows) {
  const round = (value) => (value === undefined ? undefined : value < 10 ? Math.round(value * 100) / 100 : Math.round(value));
  const shown = rows.map((row) => ({ ...row, rate: round(row.rate), ...(row.ratio === undefined ? {} : { ratio: round(row.ratio) }) }));
  console.table(Object.fromEntries(shown.map(({ name, ...row }) => [name, row])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/batches.json', `${JSON.stringify(shown, null, 2)}\n`);
}
