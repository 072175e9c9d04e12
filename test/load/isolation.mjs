// Whether the time of an answer tells bank B that an id of bank A exists: pairs of calls, one with bank A's id, one with an id of nobody.
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { formatId } from '#kernel';
import { BankClient, signRecord, writeBatch } from '#sdk';
import { openExchangeWorld } from './exchange-world.mjs';

/** Milliseconds between the medians. */
const BAR_MS = 5;

export async function run(args) {
  const { values } = parseArgs({ args, options: { pairs: { type: 'string', default: '1000' } } });
  const world = await openExchangeWorld();
  try {
    const rows = [];
    const agent = agentOfBankB(world.home);
    for (const [route, theirs, nobodys] of await routes(world))
      rows.push({ name: route, ...(await pairs(world.origin, agent, theirs, nobodys, Number(values.pairs))) });
    agent.destroy();
    report(rows);
  } finally {
    await world.close();
  }
}

async function routes({ origin, tls, signingKey, refs, home }) {
  const client = new BankClient({ origin, ...tls, signingKey });
  const jti = (tail) => `01939a6e-7a00-7abc-8def-${tail.padStart(12, '0')}`;
  const line = (n) => signRecord(recordOf(refs[0], jti(String(n)), Date.now() * 1_000 + n), signingKey);
  await client.submitRecord(await line(1));
  const file = path.join(home, 'isolation.ndjson');
  await writeBatch(file, [await line(2), await line(3)]);
  const { id } = await client.batches.submit(file);
  await client.batches.wait(id);
  await client.close();
  const other = id.slice(0, -1) + (id.endsWith('0') ? '1' : '0');
  return [
    ['records/{jti}', `/v1/records/${jti('1')}`, `/v1/records/${jti('99')}`],
    ['records/{jti}/receipt', `/v1/records/${jti('1')}/receipt`, `/v1/records/${jti('99')}/receipt`],
    ['records/{jti}/evidence', `/v1/records/${jti('1')}/evidence`, `/v1/records/${jti('99')}/evidence`],
    ['record-batches/{id}', `/v1/record-batches/${id}`, `/v1/record-batches/${other}`],
    ['record-batches/{id}/results', `/v1/record-batches/${id}/results`, `/v1/record-batches/${other}/results`],
  ];
}

function recordOf(ref, jti, seq) {
  const at = Date.now();
  return {
    ...{
      iss: 'bank-a',
      sub: formatId('lnk', ref),
      jti,
      seq,
      iat: Math.floor(at / 1_000),
      kind: 'rating',
      asOf: new Date(at).toISOString(),
    },
    validUntil: new Date(at + 86_400_000).toISOString(),
    rating: { score: 700, scale: { min: 350, max: 950 }, band: 'A', factors: [], model: { id: 'bench', version: '1' } },
  };
}

function agentOfBankB(home) {
  const read = (name) => readFileSync(path.join(home, 'pki', name), 'utf8');
  const identity = { ca: read('server/ca.pem'), cert: read('clients/bank-b/cert.pem'), key: read('clients/bank-b/key.pem') };
  return new https.Agent({ ...identity, keepAlive: true, maxSockets: 1 });
}

/** Which of a pair comes first is thrown, so that no order hides a difference. */
async function pairs(origin, agent, theirs, nobodys, count) {
  const times = { theirs: [], nobodys: [] };
  for (let i = -20; i < count; i++) {
    const order = randomInt(2) === 0 ? ['theirs', 'nobodys'] : ['nobodys', 'theirs'];
    for (const which of order) {
      const ms = await timed(origin + (which === 'theirs' ? theirs : nobodys), agent);
      if (i >= 0) times[which].push(ms);
    }
  }
  const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  const [theirsMs, nobodysMs] = [median(times.theirs), median(times.nobodys)];
  const round = (value) => Math.round(value * 1_000) / 1_000;
  return { pairs: count, theirsMs: round(theirsMs), nobodysMs: round(nobodysMs), differenceMs: round(theirsMs - nobodysMs), barMs: BAR_MS };
}

function timed(url, agent) {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    https
      .get(url, { agent }, (answer) => {
        if (answer.statusCode !== 404) reject(new Error(`${url}: ${answer.statusCode}`));
        answer.resume().on('end', () => resolve(performance.now() - startMs));
      })
      .on('error', reject);
  });
}

function report(rows) {
  console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, row])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/isolation.json', `${JSON.stringify(rows, null, 2)}\n`);
  const apart = rows.filter(({ differenceMs }) => Math.abs(differenceMs) > BAR_MS);
  for (const { name } of apart) console.error(`isolation: ${name} takes another time for another bank’s id`);
  if (apart.length > 0) process.exitCode = 1;
}
