// What the exchange of signed records costs, against what its own cryptography alone allows on the same cores in the same run.
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  checkWithNode,
  createHttpSigner,
  encodeBase64Url,
  parsePublicJwk,
  signRequest,
  verifyHttpSignature,
  BOUND_RESPONSE_PROFILE,
} from '#evidence';
import { formatId, uuidV7 } from '#kernel';
import { GatewayClient } from '#sdk';
import { openExchangeWorld } from './exchange-world.mjs';
import { tlsLoad } from './tls-load.mjs';

const CONNECTIONS = 96;
/** Prepared beforehand, so that the client's own signing is not measured. */
const REQUESTS_PER_SECOND_MAX = 1_900;
/** What runs seldom is not compiled yet: a gateway lives for weeks. */
const WARM_UP_SECONDS = 8;
const BAR = 0.4;
const DAY_MS = 86_400_000;
let seq = Date.now() * 1_000;

export async function run(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } } });
  const seconds = Number(values.seconds);
  const world = await openExchangeWorld();
  try {
    await records(world, WARM_UP_SECONDS);
    const rounds = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      rounds.push({ verify: bareVerify(1), crypto: ownCryptography(world, 1), record: await records(world, seconds) });
    }
    report(rounds, world.rssMiB('gateway'));
  } finally {
    await world.close();
  }
}

/** `crypto.verify` of ES256 and nothing else, on one core. */
function bareVerify(seconds) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const data = randomBytes(600);
  const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return perSecond(seconds, () => verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature));
}

/** What one record makes the gateway verify, hash and sign: request, body, record; receipt, answer. On one of the cores, without TLS. */
function ownCryptography({ signingKey }, seconds) {
  const [base, jws, answer] = [randomBytes(350), randomBytes(900), randomBytes(500)];
  const bank = createHttpSigner(signingKey);
  const bankKey = createPublicKey(signingKey.privateKey);
  const ours = generateKeyPairSync('ed25519').privateKey;
  const [signedBase, signedJws] = [bank.sign(base), bank.sign(jws)];
  const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
  return perSecond(seconds, () => {
    verify(null, base, bankKey, signedBase);
    sha256(jws);
    verify(null, jws, bankKey, signedJws);
    sha256(jws);
    sign(null, answer, ours);
    sha256(answer);
    sign(null, base, ours);
  });
}

/** By the clock, and by the CPU: the second does not count what else the machine does. */
function perSecond(seconds, work) {
  const [startMs, cpu] = [performance.now(), process.cpuUsage()];
  let done = 0;
  for (; performance.now() - startMs < seconds * 1000; done++) work();
  const { user, system } = process.cpuUsage(cpu);
  return { rate: (done * 1000) / (performance.now() - startMs), cpuMs: (user + system) / 1000 / done };
}

async function records(world, seconds) {
  const requests = prepare(world, Math.ceil(seconds * REQUESTS_PER_SECOND_MAX));
  const before = { count: await countRecords(world), cpu: world.cpuSeconds() };
  const startMs = performance.now();
  const { latencies, answers } = await tlsLoad({
    ...world,
    options: world.tls,
    connections: CONNECTIONS,
    requests,
    untilMs: startMs + seconds * 1000,
  });
  const took = (performance.now() - startMs) / 1000;
  const after = world.cpuSeconds();
  const written = (await countRecords(world)) - before.count;
  if (written !== answers.length) throw new Error(`${answers.length} receipts, ${written} records`);
  await verifySample(world, answers);
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(latencies.length * share)];
  return {
    rate: answers.length / took,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuMs: (app) => ((after[app] - before.cpu[app]) * 1000) / answers.length,
  };
}

function prepare({ refs, signingKey, origin }, count) {
  const signer = createHttpSigner(signingKey);
  return Array.from({ length: count }, (_, i) => {
    const body = Buffer.from(recordOf(refs[i % refs.length], signer));
    const target = { method: 'POST', targetUri: `${origin}/v1/records`, headers: {} };
    const digest = new Map([['sha-256', createHash('sha256').update(body).digest()]]);
    const fields = signRequest(target, digest, signer, { at: new Date(), nonce: randomBytes(16).toString('base64url') });
    const lines = Object.entries({
      host: new URL(origin).host,
      'content-type': 'application/jose',
      'content-length': body.length,
      ...fields,
    });
    const head = `POST /v1/records HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    return { request: { ...target, headers: fields }, bytes: Buffer.concat([Buffer.from(head), body]) };
  });
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

/** The answers that were counted are signed and bound to their requests: every hundredth is verified. */
async function verifySample(world, answers) {
  const client = new GatewayClient({ origin: world.origin, ...world.tls, signingKey: world.signingKey });
  const keys = (await client.fetchKeys()).map((jwk) => ({ ...parsePublicJwk(jwk), state: 'ACTIVE' }));
  await client.close();
  const findKey = (kid) => keys.find((key) => key.kid === kid);
  for (const { sent, head } of answers.filter((_, i) => i % 100 === 0)) {
    const headers = Object.fromEntries(
      [...head.matchAll(/^([\w-]+): (.*)$/gm)].map(([, name, value]) => [name.toLowerCase(), value.trim()]),
    );
    await verifyHttpSignature({ status: 201, headers, request: sent.request }, BOUND_RESPONSE_PROFILE, { findKey, check: checkWithNode });
  }
}

function report(rounds, rssMiB) {
  const middle = (pick) => [...rounds.map(pick)].sort((a, b) => a - b)[Math.floor(rounds.length / 2)];
  const round = (value) => Math.round(value * 100) / 100;
  const crypto = middle(({ crypto }) => crypto.rate);
  const rate = middle(({ record }) => record.rate);
  const cpuMs = (app) => round(middle(({ record }) => record.cpuMs(app)));
  const rows = [
    { name: 'es256-verify', rate: Math.round(middle(({ verify }) => verify.rate)) },
    { name: 'own-cryptography', rate: Math.round(crypto), gatewayCpuMs: round(middle(({ crypto }) => crypto.cpuMs)) },
    {
      name: 'single-record',
      rate: Math.round(rate),
      ...{ p50Ms: round(middle(({ record }) => record.p50Ms)), p99Ms: round(middle(({ record }) => record.p99Ms)) },
      ...{ gatewayCpuMs: cpuMs('gateway'), postgresCpuMs: cpuMs('postgres'), workerCpuMs: cpuMs('worker') },
      ...{ redisCpuMs: cpuMs('redis'), clientCpuMs: cpuMs('client'), rssMiB },
      ...{ baseline: 'own-cryptography', ratio: round(rate / crypto), bar: BAR },
    },
  ];
  console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, row])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/exchange.json', `${JSON.stringify(rows, null, 2)}\n`);
  if (rate < crypto * BAR) {
    console.error(`single-record: ${round(rate / crypto)} is below the bar of ${BAR}`);
    process.exitCode = 1;
  }
}
