// A night of records under one signature: written to a file, sent, followed, what was refused mended and sent again, one line proved offline.
// Environment: TALLY_GATEWAY, TALLY_CA, TALLY_CERT, TALLY_KEY, TALLY_SIGNING_KEY, TALLY_KID, TALLY_REF (as in .tallystick/try.env), TALLY_LOG_KEYS.
import { createPrivateKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BankClient, verifyEvidence, writeBatch, writeFailedLines } from '@tallystick/sdk';

const env = process.env;
const pem = (name) => readFileSync(env[name], 'utf8');
const signingKey = { kid: env.TALLY_KID, alg: 'EdDSA', privateKey: createPrivateKey(pem('TALLY_SIGNING_KEY')) };
const bank = new BankClient({ origin: env.TALLY_GATEWAY, ca: pem('TALLY_CA'), cert: pem('TALLY_CERT'), key: pem('TALLY_KEY'), signingKey });
const seal = { iss: 'bank-a', key: signingKey };
const folder = mkdtempSync(path.join(tmpdir(), 'night-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
const first = Date.now() * 1_000;

// Yours come from your database, as they are read: nothing is held in memory.
function* records() {
  for (let n = 0; n < 100; n++) {
    const score = n === 41 ? 99_999 : 700 + n;
    const rating = { score, scale: { min: 350, max: 950 }, band: 'A', factors: [], model: { id: 'night', version: '1' } };
    const at = new Date();
    const head = { iss: 'bank-a', sub: env.TALLY_REF, jti: uuid7(), seq: first + n, iat: Math.floor(at / 1_000), asOf: at.toISOString() };
    yield { ...head, kind: 'rating', validUntil: new Date(at.getTime() + 90 * 86_400_000).toISOString(), rating };
  }
}

function uuid7() {
  const hex = Date.now().toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

// The file is the batch: after any crash, yours or ours, send it again and it is the same one.
const night = path.join(folder, 'night.ndjson.gz');
console.log('lines written', await writeBatch(night, records(), { seal, gzip: true }));
const { id } = await bank.batches.submit(night);
const { lines } = await bank.batches.wait(id);
console.log('accepted', lines.accepted, 'refused', lines.refused);
console.log('sent again, the same batch', (await bank.batches.submit(night)).id === id);

// Only what was refused, mended, under a new seal.
const repair = (line, { code, field }) => {
  console.log('refused as', code, field);
  const record = JSON.parse(line);
  return { ...record, rating: { ...record.rating, score: 741 } };
};
const morning = path.join(folder, 'morning.ndjson');
await writeFailedLines(night, bank.batches.errors(id), morning, { seal, repair });
const mended = await bank.batches.submit(morning);
console.log('mended', (await bank.batches.wait(mended.id)).lines.accepted);

// Any line is proved alone, years later and without us. Facts are sealed within ten seconds.
const results = bank.batches.results(id);
const { value: one } = await results.next();
await results.return();
for (let tries = 0; tries < 30; tries++) {
  const report = await verifyEvidence(await bank.evidence(one.jti), pem('TALLY_LOG_KEYS'));
  if (report.verified || tries === 29) console.log('line', one.line, report.verified ? 'verifies offline' : report.steps.at(-1));
  if (report.verified) break;
  await pause(1_000);
}
await bank.close();
