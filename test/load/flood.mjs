// node test/load/flood.mjs <home> <origin> <narrow|wide|fresh> <calls per second> <seconds> <address>: bank B calls so often, whatever it is answered;
// on bare TLS sockets in a process of its own, because its work must not be what delays others.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';

/** How many connections at once, and whether each call has a new one. */
const WAYS = {
  narrow: { connections: 16, fresh: false },
  wide: { connections: 400, fresh: false },
  fresh: { connections: 200, fresh: true },
};

const [home, origin, way, perSecond, seconds, localAddress] = process.argv.slice(2);
const { connections, fresh } = WAYS[way];
const { host, hostname, port } = new URL(origin);
const read = (name) => readFileSync(path.join(home, 'pki', name), 'utf8');
const secureContext = tls.createSecureContext({
  ...{ ca: read('server/ca.pem'), cert: read('clients/bank-b/cert.pem'), key: read('clients/bank-b/key.pem') },
});
const request = Buffer.from(`GET /v1/participants/me HTTP/1.1\r\nHost: ${host}\r\nConnection: ${fresh ? 'close' : 'keep-alive'}\r\n\r\n`);
const tickMs = 10;
/** So that connections are not tried more often than calls, either. */
const reconnectMs = (connections * 1_000) / Number(perSecond);
/** Another machine does not take our time; where the kernel can, `fairness.mjs` lets this one run only while nobody else does. */
os.setPriority(Math.min(19, os.getPriority() + 10));

const counts = { ok: 0, refused: 0, failed: 0, handshakes: 0 };
const ready = [];
let isOver = false;

function connect() {
  if (isOver) return;
  const socket = tls.connect({ host: '127.0.0.1', port, localAddress, servername: hostname, secureContext });
  socket.setNoDelay(true);
  let received = '';
  socket.once('secureConnect', () => {
    counts.handshakes++;
    ready.push(socket);
  });
  socket.on('data', (data) => {
    received += data.toString('latin1');
    const head = received.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
    if (received.length < head + 4 + length) return;
    const status = received.slice(9, 12);
    counts[status === '200' ? 'ok' : status === '429' ? 'refused' : 'failed']++;
    const closes = /\r\nconnection: close\r\n/i.test(received.slice(0, head + 2));
    received = '';
    if (closes) return socket.end();
    ready.push(socket);
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    const at = ready.indexOf(socket);
    if (at >= 0) ready.splice(at, 1);
    setTimeout(connect, reconnectMs);
  });
}

for (let i = 0; i < connections; i++) connect();
const startMs = performance.now();
let made = 0;
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startMs;
  if (elapsedMs > Number(seconds) * 1_000) {
    clearInterval(timer);
    isOver = true;
    console.log(
      JSON.stringify({
        ...counts,
        seconds: elapsedMs / 1_000,
        cpuSeconds: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
      }),
    );
    process.exit(0);
  }
  const due = (elapsedMs * Number(perSecond)) / 1_000;
  for (; made < due && ready.length > 0; made++) ready.shift().write(request);
  made = Math.max(made, Math.floor(due) - connections);
}, tickMs);
