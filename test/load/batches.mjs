// What batches of records cost, through the gateway's door and the worker, against bare verification of their signatures on both cores.
import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { Agent, request } from 'undici';
import { createHttpSigner, encodeBase64Url, GrowingTree, leafHash, nodeCrypto, signRequest } from '#evidence';
import { formatId, uuidV7 } from '#kernel';
import { openExchangeWorld } from './exchange-world.mjs';

const DAY_MS = 86_400_000;
const KID = 'bench-es256';
let seq = Date.now() * 1_000;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: { lines: { type: 'string', default: '20000' }, sealed: { type: 'string', default: '500000' } },
  });
  const world = await openExchangeWorld();
  try {
    const es256 = addKey(world);
    const bare = await bareVerify(es256, 3_000);
    const signed = await signedBatch(world, es256, Number(values.lines));
    const sealed = await sealedBatch(world, Number(values.sealed));
    report([
      { name: 'es256-verify-all-cores', rate: bare, unit: 'signatures/s' },
      { name: 'signed-lines', ...signed, unit: 'lines/s', baseline: 'es256-verify-all-cores', ratio: signed.rate / bare, bar: 0.5 },
      { name: 'sealed-lines-received', ...sealed, unit: 'lines/s', bar: 100_000 },
    ]);
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
  const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const verifyOne = promisify(verify);
  const untilMs = performance.now() + ms;
  let done = 0;
  const thread = async () => {
    for (; performance.now() < untilMs; done++) await verifyOne('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, thread));
  return (done * 1000) / ms;
}

async function signedBatch(world, { privateKey }, count) {
  const protectedHeader = base64({ alg: 'ES256', kid: KID, typ: 'credit-record+jwt' });
  const lines = Array.from({ length: count }, (_, i) => {
    const input = `${protectedHeader}.${base64(payloadOf(world.refs[i % world.refs.length]))}`;
    return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  });
  const startMs = performance.now();
  const { id } = await send(world, '/v1/record-batches', Buffer.from(lines.join('\n')));
  const seconds = (await untilDone(world, id, count)) - startMs;
  return { rate: (count * 1000) / seconds, rssMiB: world.rssMiB('worker') };
}

/** How fast the gateway takes, hashes and stores sealed lines; what becomes of them afterwards is the worker's. */
async function sealedBatch(world, count) {
  const tree = GrowingTree.restore(nodeCrypto, 0n, []);
  const lines = [];
  for (let i = 0; i < count; i++) {
    const line = JSON.stringify(payloadOf(world.refs[i % world.refs.length]));
    await tree.append([await leafHash(nodeCrypto, Buffer.from(line))]);
    lines.push(line);
  }
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: 'bank-a', jti: uuidV7(Date.now(), randomBytes(10)), iat, count, root: encodeBase64Url(await tree.root()) };
  const { kid, alg } = world.signingKey;
  const input = `${base64({ alg, kid, typ: 'record-batch+jwt' })}.${base64(claims)}`;
  const manifest = `${input}.${encodeBase64Url(createHttpSigner(world.signingKey).sign(Buffer.from(input)))}`;
  const body = Buffer.from([manifest, ...lines].join('\n'));
  const startMs = performance.now();
  await send(world, '/v1/record-batches?profile=sealed', body);
  return { rate: (count * 1000) / (performance.now() - startMs), rssMiB: world.rssMiB('gateway') };
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

async function send(world, target, body) {
  const signer = createHttpSigner(world.signingKey);
  const digest = new Map([['sha-256', createHash('sha256').update(body).digest()]]);
  const message = { method: 'POST', targetUri: `${world.origin}${target}`, headers: {} };
  const fields = signRequest(message, digest, signer, { at: new Date(), nonce: randomBytes(16).toString('base64url') });
  return await call(world, 'POST', target, { 'content-type': 'application/x-ndjson', ...fields }, body);
}

async function untilDone(world, id, count) {
  for (;;) {
    const { state, lines } = await call(world, 'GET', `/v1/record-batches/${id}`, {});
    if (state === 'DONE' && lines.accepted === count) return performance.now();
    if (state === 'DONE') throw new Error(`lines were not accepted: ${JSON.stringify(lines)}`);
    await pause(50);
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
