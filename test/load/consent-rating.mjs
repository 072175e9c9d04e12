// Consented rating reads with signed answers over mTLS, the client on the same cores. Every one is counted, a fact, and signed twice.
import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { checkWithNode, parsePublicJwk, RESPONSE_PROFILE, verifyHttpSignature } from '#evidence';
import { formatId, systemClock } from '#kernel';
import { GatewayClient, verifyRating } from '#sdk';
import { Consents } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { openExchangeWorld } from './exchange-world.mjs';
import { tlsLoad } from './tls-load.mjs';

const CONNECTIONS = 64;
const REQUESTS_PER_SECOND_MAX = 1_990;
const BAR = 1_000;
const DAY_MS = 86_400_000;
const TERMS = {
  purpose: 'ACCOUNT_REVIEW',
  claims: ['score', 'band', 'factors', 'asOf'],
  fetch: { type: 'PERIODIC', count: 1_000, every: 'DAY' },
  dataLifeSeconds: 3_600,
};

export async function measure({ seconds, rounds }) {
  // The operator's ceilings are not what is measured.
  Object.assign(process.env, { CONSENT_CALLS_PER_DAY_MAX: '100000', CONSENT_CALLS_PER_MONTH_MAX: '1000000' });
  const world = await openExchangeWorld();
  try {
    const consents = await grantAll(world);
    await reads(world, consents, 2);
    const measured = [];
    for (let round = 0; round < rounds; round++) measured.push({ signing: bareSigning(1), ...(await reads(world, consents, seconds)) });
    return rowsOf(measured);
  } finally {
    await world.close();
  }
}

async function grantAll({ database, refs }) {
  const consents = new Consents(new PgExchange(database), nodeClerk, systemClock);
  const expiresAt = new Date(Date.now() + DAY_MS).toISOString();
  const granted = [];
  const one = async (ref) => {
    const { consent } = await consents.request('bank-a', randomUUID(), { sub: formatId('lnk', ref), ...TERMS, expiresAt });
    await consents.act(consent.id, { kind: 'GRANT', smaller: {} }, { subject: consent.subject, via: 'bench' });
    return `/v1/subjects/${formatId('lnk', ref)}/rating?consent=${formatId('cns', consent.id)}`;
  };
  for (let i = 0; i < refs.length; i += 4) granted.push(...(await Promise.all(refs.slice(i, i + 4).map(one))));
  return granted;
}

/** Ed25519 alone, twice for each read: the credential and the answer. On one core. */
function bareSigning(seconds) {
  const { privateKey } = generateKeyPairSync('ed25519');
  const [credential, base] = [randomBytes(900), randomBytes(350)];
  const startMs = performance.now();
  let done = 0;
  for (; performance.now() - startMs < seconds * 1_000; done++) {
    sign(null, credential, privateKey);
    sign(null, base, privateKey);
  }
  return (done * 1_000) / (performance.now() - startMs);
}

async function reads(world, paths, seconds) {
  const requests = Array.from({ length: seconds * REQUESTS_PER_SECOND_MAX }, (_, i) => request(world, paths[i % paths.length]));
  const before = { uses: await countUses(world), cpu: world.cpuSeconds() };
  const startMs = performance.now();
  const untilMs = startMs + seconds * 1_000;
  const load = { ...world, options: world.tls, connections: CONNECTIONS, requests, untilMs, status: 200 };
  const { latencies, answers } = await tlsLoad(load);
  const tookSeconds = (performance.now() - startMs) / 1_000;
  const cpu = world.cpuSeconds();
  const { uses, facts } = await countUses(world);
  if (uses - before.uses.uses !== answers.length || uses !== facts)
    throw new Error(`${answers.length} answers, ${uses} uses, ${facts} facts`);
  await verifySample(world, answers);
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(latencies.length * share)];
  const cpuMs = (name) => ((cpu[name] - before.cpu[name]) * 1_000) / answers.length;
  return {
    rate: answers.length / tookSeconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    gatewayCpuMs: cpuMs('gateway'),
    postgresCpuMs: cpuMs('postgres'),
  };
}

function request({ origin }, path) {
  const bytes = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${new URL(origin).host}\r\nidempotency-key: ${randomUUID()}\r\n\r\n`);
  return { request: { method: 'GET', targetUri: origin + path, headers: {} }, bytes };
}

async function countUses({ database }) {
  const [{ uses, facts }] = await database.query(
    `SELECT (SELECT count(*) FROM consent_uses) AS uses, (SELECT count(*) FROM facts WHERE kind = 'rating.disclosed') AS facts`,
  );
  return { uses: Number(uses), facts: Number(facts) };
}

/** What was counted is a rating, bound to the bank, in an answer that the gateway signed: every hundredth is verified. */
async function verifySample({ origin, tls, signingKey }, answers) {
  const client = new GatewayClient({ origin, ...tls, signingKey });
  const keys = await client.fetchKeys();
  await client.close();
  const known = keys.map((jwk) => ({ ...parsePublicJwk(jwk), state: 'ACTIVE' }));
  const findKey = (kid) => known.find((key) => key.kid === kid);
  const ownKey = signingKey.privateKey.export({ format: 'jwk' });
  for (const { sent, head, body } of answers.filter((_, i) => i % 100 === 0)) {
    const headers = Object.fromEntries(
      [...head.matchAll(/^([\w-]+): (.*)$/gm)].map(([, name, value]) => [name.toLowerCase(), value.trim()]),
    );
    await verifyHttpSignature({ status: 200, headers, request: sent.request }, RESPONSE_PROFILE, { findKey, check: checkWithNode });
    await verifyRating(body.toString(), { keys: { keys }, issuer: origin, holder: { ownKey } });
  }
}

function rowsOf(rounds) {
  const middle = (pick) => [...rounds.map(pick)].sort((a, b) => a - b)[Math.floor(rounds.length / 2)];
  const round = (value) => Math.round(value * 100) / 100;
  const [signing, rate] = [middle(({ signing }) => signing), middle(({ rate }) => rate)];
  return [
    { name: 'two-signatures', rate: Math.round(signing) },
    {
      name: 'consented-rating-read',
      rate: Math.round(rate),
      ...{ p50Ms: round(middle(({ p50Ms }) => p50Ms)), p99Ms: round(middle(({ p99Ms }) => p99Ms)) },
      ...{
        gatewayCpuMs: round(middle(({ gatewayCpuMs }) => gatewayCpuMs)),
        postgresCpuMs: round(middle(({ postgresCpuMs }) => postgresCpuMs)),
      },
      ...{ ratio: round(rate / signing), bar: BAR, met: rate >= BAR },
    },
  ];
}
