import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { until } from '../world/worker-world.js';

const CALLS = 20;
const HANDSHAKES = 5;
const CONNECTIONS = 6;

let world: GatewayWorld;
beforeAll(async () => {
  world = await openGatewayWorld({
    callsPerSecondMax: CALLS,
    handshakesPerSecondMax: HANDSHAKES,
    connections: { connectionsMax: CONNECTIONS, pipelinedMax: 16 },
  });
});
afterAll(() => world?.close());

/** One call from an address of this machine. */
function call(bank: string, localAddress: string, agent: https.Agent): Promise<{ status: number; code?: string; close: boolean }> {
  const { ca, cert, key } = world.client(bank);
  const options = { agent, localAddress, ca, cert, key, host: '127.0.0.1', port: world.port, servername: 'localhost' };
  return new Promise((resolve, reject) => {
    https
      .get({ ...options, path: '/v1/participants/me', headers: { host: `localhost:${world.port}` } }, (answer) => {
        let text = '';
        answer
          .on('data', (data: Buffer) => (text += data.toString()))
          .on('end', () => {
            const { code } = JSON.parse(text) as { code?: string };
            resolve({ status: answer.statusCode!, close: answer.headers.connection === 'close', ...(code ? { code } : {}) });
          });
      })
      .on('error', reject);
  });
}

function connect(bank: string, localAddress: string): tls.TLSSocket {
  const { ca, cert, key } = world.client(bank);
  const socket = net.connect({ host: '127.0.0.1', port: world.port, localAddress }).on('error', () => undefined);
  return tls.connect({ socket, servername: 'localhost', ca, cert, key }).on('error', () => undefined);
}

/** Linux answers on all of 127.0.0.0/8. */
const hasAddresses = process.platform === 'linux';

describe.runIf(hasAddresses)('a bank beyond its quota', () => {
  it('that sends its next call when it has its answer is slowed to its quota, and nothing is refused', async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 4 });
    const startMs = performance.now();
    const answers = await Promise.all(Array.from({ length: CALLS * 3 }, () => call('bank-b', '127.0.0.2', agent)));
    agent.destroy();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    // Those of the first second at once, the others at the pace.
    expect(performance.now() - startMs).toBeGreaterThan(1_500);
  });

  it('with more connections than it may have is told so on each one too many, until it closes some', async () => {
    const idle = Array.from({ length: CONNECTIONS }, () => new https.Agent({ keepAlive: true }));
    for (const agent of idle) expect(await call('bank-a', '127.0.0.3', agent)).toMatchObject({ status: 200 });
    const one = new https.Agent({ keepAlive: true });
    expect(await call('bank-a', '127.0.0.3', one)).toEqual({ status: 429, code: 'connections.too_many', close: true });
    expect(await call('bank-a', '127.0.0.3', idle[0]!)).toMatchObject({ status: 200 });
    idle[0]!.destroy();
    await until(async () => ((await call('bank-a', '127.0.0.3', one)).status === 200 ? true : undefined));
    for (const agent of [...idle, one]) agent.destroy();
  });

  it('that sends requests without end and reads nothing is cut off', async () => {
    const socket = connect('bank-a', '127.0.0.4');
    const request = `GET /v1/participants/me HTTP/1.1\r\nHost: localhost:${world.port}\r\n\r\n`;
    socket.write(request.repeat(1_000));
    await new Promise((resolve) => socket.once('close', resolve));
  });
});

describe.runIf(hasAddresses)('an address that opens connections faster than it may', () => {
  it('waits before TLS begins, while another address is answered at once; beyond that it is closed', async () => {
    const burst = HANDSHAKES * 5;
    const began: tls.TLSSocket[] = [];
    const ended: tls.TLSSocket[] = [];
    const startMs = performance.now();
    const sockets = Array.from({ length: burst * 16 }, () => connect('bank-a', '127.0.0.5'));
    for (const socket of sockets) socket.once('secureConnect', () => began.push(socket)).once('close', () => ended.push(socket));
    await until(() => Promise.resolve(began.length >= burst && ended.length >= burst ? true : undefined));
    const other = new https.Agent();
    expect(await call('bank-b', '127.0.0.6', other)).toMatchObject({ status: 200 });
    other.destroy();
    // Those who wait have their turn, one after another.
    await until(() => Promise.resolve(began.length >= burst + 2 ? true : undefined));
    expect(began.length).toBeLessThanOrEqual(burst + 1 + (HANDSHAKES * (performance.now() - startMs)) / 1_000);
    for (const socket of sockets) socket.destroy();
  });
});
