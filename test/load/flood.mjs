// node test/load/flood.mjs <home> <origin> <calls per second> <seconds>: bank B calls so often, whatever it is answered; a process of its own.
import https from 'node:https';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const [home, origin, perSecond, seconds] = process.argv.slice(2);
const read = (name) => readFileSync(path.join(home, 'pki', name), 'utf8');
const identity = { ca: read('server/ca.pem'), cert: read('clients/bank-b/cert.pem'), key: read('clients/bank-b/key.pem') };
const agent = new https.Agent({ ...identity, keepAlive: true, maxSockets: 16 });
const [tickMs, waitingMax] = [10, 200];
const counts = { ok: 0, refused: 0, failed: 0 };
let waiting = 0;

function call() {
  waiting++;
  const done = (what) => {
    counts[what]++;
    waiting--;
  };
  const sent = https.get(`${origin}/v1/participants/me`, { agent }, (answer) => {
    answer.resume().on('end', () => done(answer.statusCode === 200 ? 'ok' : answer.statusCode === 429 ? 'refused' : 'failed'));
  });
  sent.on('error', () => done('failed'));
}

const startMs = performance.now();
let made = 0;
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startMs;
  if (elapsedMs > Number(seconds) * 1_000) {
    clearInterval(timer);
    agent.destroy();
    const { ok, refused, failed } = counts;
    console.log(JSON.stringify({ ok, refused, failed, perSecond: ((ok + refused) * 1_000) / elapsedMs }));
    return;
  }
  for (const due = (elapsedMs * Number(perSecond)) / 1_000; made < due; made++) if (waiting < waitingMax) call();
}, tickMs);
