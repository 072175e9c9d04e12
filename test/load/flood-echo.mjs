// node test/load/flood-echo.mjs <home> <calls per second>: what a flood meets where nobody else calls. A door with the gateway's certificates and
// its pace for connections and calls that says yes to everything: what a flood against it costs others is what its sender takes of a machine that
// they share, and not what the gateway spends on it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { createLogger, parseConfig } from '#platform';
import { CallLane } from '../../dist/apps/gateway/src/channel/call-lane.js';
import { handshakeLimits, limitHandshakes } from '../../dist/apps/gateway/src/channel/limit-handshakes.js';

const [home, callsPerSecond] = process.argv.slice(2);
const read = (name) => readFileSync(path.join(home, 'pki', name), 'utf8');
const { HANDSHAKES_PER_SECOND } = parseConfig(JSON.parse(readFileSync(path.join(home, 'env.json'), 'utf8')));
const lane = new CallLane(
  { intervalMs: 1_000 / Number(callsPerSecond), waitingMax: 128, waitMsMax: 2_000, calmMs: Infinity },
  async () => 0,
);
void lane.run(0, () => undefined);
const answer = (status, connection) =>
  `HTTP/1.1 ${status}\r\nConnection: ${connection}\r\nContent-Length: 1000\r\n\r\n${'a'.repeat(1_000)}`;

const server = tls.createServer(
  {
    ...{ cert: read('server/cert.pem'), key: read('server/key.pem'), ca: read('server/ca.pem') },
    ...{ requestCert: true, rejectUnauthorized: false },
  },
  (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', async (request) => {
      const isThrough = await lane.enter(() => socket.destroyed);
      const closes = request.includes('Connection: close');
      socket.write(answer(isThrough ? '200 OK' : '429 Too Many Requests', closes ? 'close' : 'keep-alive'));
      if (closes) socket.end();
    });
  },
);
limitHandshakes(server, handshakeLimits(HANDSHAKES_PER_SECOND), createLogger('flood-echo', 'silent'));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
