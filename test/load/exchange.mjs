// What the exchange of signed records costs, against what its own cryptography alone allows on the same cores in the same run. In two ways: with
// all that both sides do, which is what the baseline does, too; and with a bank that signed before, as one does that has machines of its own.
import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  checkContentDigest,
  checkWithNode,
  createHttpSigner,
  encodeBase64Url,
  parseContentDigest,
  parsePublicJwk,
  signRequest,
  verifyHttpSignature,
  verifyJws,
  BOUND_RESPONSE_PROFILE,
} from '#evidence';
import { formatId, uuidV7 } from '#kernel';
import { GatewayClient } from '#sdk';
import { openExchangeWorld } from './exchange-world.mjs';
import { ownCryptography } from './own-cryptography.mjs';
import { connectAll, tlsLoad } from './tls-load.mjs';

const CONNECTIONS = 96;
/** So many lie ready where they are signed before. */
const REQUESTS_PER_SECOND_MAX = 1_900;
/** What runs seldom is not compiled yet: a gateway lives for weeks. */
const WARM_UP_SECONDS = 20;
/** Of what the cryptography alone allows; and records a second. */
const BARS = { ratio: 0.4, rate: 1_000 };
const DAY_MS = 86_400_000;
let seq = Date.now() * 1_000;

export async function run(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '5' } } });
  const seconds = Number(values.seconds);
  const opened = await openExchangeWorld();
  try {
    const world = { ...opened, sockets: await connectAll({ ...opened, options: opened.tls, connections: CONNECTIONS }) };
    await records(world, WARM_UP_SECONDS, bothSides);
    const rounds = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      rounds.push({
        ...{ verify: bareVerify(0.5), crypto: await ownCryptography(world.signingKey, 1) },
        ...{ both: await records(world, seconds, bothSides), signed: await records(world, seconds, signedBefore) },
      });
    }
    report(rounds, world.rssMiB('gateway'));
    for (const socket of world.sockets) socket.destroy();
  } finally {
    await opened.close();
  }
}

/** `crypto.verify` of ES256 and nothing else, on one core. */
function bareVerify(seconds) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const data = randomBytes(600);
  const signature = sign('sha256', data, privateKey);
  const startMs = performance.now();
  let done = 0;
  for (; performance.now() - startMs < seconds * 1000; done++) verify('sha256', data, publicKey, signature);
  return { rate: (done * 1000) / (performance.now() - startMs) };
}

/** The bank signs what it sends when it sends it, and verifies answer and receipt before it sends the next. */
async function bothSides(world) {
  return { requests: signing(world), check: await answerChecker(world) };
}

export async function signedBefore(world, seconds) {
  const requests = [];
  for (const request of signing(world)) if (requests.push(request) >= seconds * REQUESTS_PER_SECOND_MAX) break;
  return { requests };
}

export async function records(world, seconds, way) {
  const { requests, check } = await way(world, seconds);
  const before = { count: await countRecords(world), cpu: world.cpuSeconds() };
  const startMs = performance.now();
  const { latencies, answers } = await tlsLoad({ sockets: world.sockets, requests, untilMs: startMs + seconds * 1000, check });
  const took = (performance.now() - startMs) / 1000;
  const after = world.cpuSeconds();
  const written = (await countRecords(world)) - before.count;
  const count = latencies.length;
  if (written !== count) throw new Error(`${count} receipts, ${written} records`);
  if (!check) await verifySample(world, answers);
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(latencies.length * share)];
  return {
    rate: count / took,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuMs: (app) => ((after[app] - before.cpu[app]) * 1000) / count,
  };
}

/** Signed requests without end. */
function* signing({ refs, signingKey, origin }) {
  const signer = createHttpSigner(signingKey);
  const { host } = new URL(origin);
  for (let i = 0; ; i++) {
    const body = Buffer.from(recordOf(refs[i % refs.length], signer));
    const target = { method: 'POST', targetUri: `${origin}/v1/records`, headers: {} };
    const digest = new Map([['sha-256', createHash('sha256').update(body).digest()]]);
    const fields = signRequest(target, digest, signer, { at: new Date(), nonce: randomBytes(16).toString('base64url') });
    const lines = Object.entries({ host, 'content-type': 'application/jose', 'content-length': body.length, ...fields });
    const head = `POST /v1/records HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    yield { request: { ...target, headers: fields }, bytes: Buffer.concat([Buffer.from(head), body]) };
  }
}

function recordOf(ref, signer) {
  const now = new Date();
  const payload = {
    ...{ iss: 'bank-a', sub: formatId('lnk', ref), jti: uuidV7(now.getTime(), randomBytes(10)), seq: seq++ },
    ...{ iat: Math.floor(now.getTime() / 1000), kind: 'rating', asOf: now.toISOString() },
    validUntil: new Date(now.getTime() + 90 * DAY_MS).toISOString(),
    rating: { score: 600 + (seq % 300), scale: { min: 350, max: 950 }, band: 'A', factors: [], model: { id: 'bench', version: '1' } },
  };
  const text = (value) => encodeBase64Url(Buffer.from(JSON.stringify(value)));
  const input = `${text({ alg: signer.alg, kid: signer.kid, typ: 'credit-record+jwt' })}.${text(payload)}`;
  return `${input}.${encodeBase64Url(signer.sign(Buffer.from(input)))}`;
}

async function countRecords({ database }) {
  const [{ n }] = await database.query('SELECT count(*) AS n FROM records');
  return Number(n);
}

/** As the SDK does it: the answer is signed over its body and bound to its request, and the receipt in it is signed, too. */
async function answerChecker(world) {
  const client = new GatewayClient({ origin: world.origin, ...world.tls, signingKey: world.signingKey });
  const keys = (await client.fetchKeys()).map((jwk) => ({ ...parsePublicJwk(jwk), state: 'ACTIVE' }));
  await client.close();
  const findKey = (kid) => keys.find((key) => key.kid === kid);
  return async ({ sent, head, body }) => {
    const lines = head.split('\r\n').slice(1);
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );
    const answer = { status: 201, headers, request: sent.request };
    await verifyHttpSignature(answer, BOUND_RESPONSE_PROFILE, { findKey, check: checkWithNode });
    const digest = new Map([['sha-256', createHash('sha256').update(body).digest()]]);
    checkContentDigest(parseContentDigest(headers['content-digest']), digest);
    await verifyJws(Buffer.from(JSON.parse(body).receipt), 'record-receipt+jwt', findKey);
  };
}

async function verifySample(world, answers) {
  const check = await answerChecker(world);
  for (const answer of answers.filter((_, i) => i % 100 === 0)) await check(answer);
}

function report(rounds, rssMiB) {
  const middle = (pick) => [...rounds.map(pick)].sort((a, b) => a - b)[Math.floor(rounds.length / 2)];
  const round = (value) => Math.round(value * 100) / 100;
  const row = (name, way) => {
    const at = (pick) => round(middle((one) => pick(one[way])));
    const cpu = (app) => at(({ cpuMs }) => cpuMs(app));
    return {
      ...{ name, rate: Math.round(middle((one) => one[way].rate)), p50Ms: at(({ p50Ms }) => p50Ms), p99Ms: at(({ p99Ms }) => p99Ms) },
      ...{ gatewayCpuMs: cpu('gateway'), postgresCpuMs: cpu('postgres'), workerCpuMs: cpu('worker') },
      ...{ redisCpuMs: cpu('redis'), clientCpuMs: cpu('client') },
    };
  };
  const crypto = middle((one) => one.crypto.rate);
  const ratio = round(middle(({ both, crypto }) => both.rate / crypto.rate));
  const rows = [
    { name: 'es256-verify', rate: Math.round(middle((one) => one.verify.rate)) },
    { name: 'own-cryptography', rate: Math.round(crypto), clientCpuMs: round(middle((one) => one.crypto.cpuMs)) },
    { ...row('both-sides', 'both'), baseline: 'own-cryptography', ratio, bar: BARS.ratio },
    { ...row('single-record', 'signed'), bar: BARS.rate, rssMiB },
  ];
  console.table(Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/exchange.json', `${JSON.stringify(rows, null, 2)}\n`);
  const fail = (text) => {
    console.error(text);
    process.exitCode = 1;
  };
  if (ratio < BARS.ratio) fail(`both-sides: ${ratio} is below the bar of ${BARS.ratio}`);
  if (rows[3].rate < BARS.rate) fail(`single-record: ${rows[3].rate} records/s are fewer than ${BARS.rate}`);
}
