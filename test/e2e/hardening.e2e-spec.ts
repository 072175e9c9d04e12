import net from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REQUEST_TIMEOUTS } from '#platform/adapters/http-app';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

/** Shorter than in production, so that a test may wait for them. */
const TIMEOUTS = { headersMs: 1_000, requestMs: 3_000, checkMs: 200 };
const PATIENCE_MS = 60_000;
const HALF_OPEN = 200;

let world: GatewayWorld;
let head: string;

beforeAll(async () => {
  world = await openGatewayWorld({ timeouts: TIMEOUTS });
  head = `Host: localhost:${world.port}\r\n`;
});
afterAll(() => world?.close());

function connect(options: tls.ConnectionOptions = {}): tls.TLSSocket {
  const { ca, cert, key } = world.client('bank-a');
  const socket = tls.connect({ host: '127.0.0.1', port: world.port, servername: 'localhost', ca, cert, key, ...options });
  socket.on('error', () => undefined);
  return socket;
}

/** Writes these bytes on one connection, lets go of it by itself only when the server does, and returns all that came back. */
function exchange(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect();
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.on('close', () => resolve(answer));
    socket.write(text, 'latin1');
  });
}

const statuses = (answer: string) => [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
const closed = (socket: net.Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()));

describe('bytes that two readers could cut differently', () => {
  const hidden = 'GET /v1/participants/me HTTP/1.1\r\nHost: HOST\r\n\r\n';
  it.each([
    ['length and chunks', `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`],
    ['two lengths', `Content-Length: 4\r\nContent-Length: 5\r\n\r\n1234${hidden}`],
    ['two equal lengths in one line', `Content-Length: 4, 4\r\n\r\n1234${hidden}`],
    ['a signed length', `Content-Length: +4\r\n\r\n1234${hidden}`],
    ['a length of letters', `Content-Length: 4x\r\n\r\n1234${hidden}`],
    ['a coding that is not chunked', `Transfer-Encoding: xchunked\r\n\r\n${hidden}`],
    ['chunked, and then another', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`],
    ['a space before the colon', `Content-Length : 4\r\n\r\n1234${hidden}`],
    ['a folded line', `X-A: b\r\n Content-Length: 4\r\n\r\n1234${hidden}`],
    ['a bare line feed', `X-A: b\nContent-Length: 4\r\n\r\n1234${hidden}`],
    ['a carriage return in a value', `X-A: b\rContent-Length: 4\r\n\r\n1234${hidden}`],
    ['NUL in a value', `X-A: b\0c\r\nContent-Length: 0\r\n\r\n${hidden}`],
    ['a chunk size that overflows', `Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n${hidden}`],
    ['a chunk longer than it says', `Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n${hidden}`],
  ])('%s: one refusal, then the end; the request behind it is nobody’s', async (_what, rest) => {
    const answer = await exchange(`POST /v1/security/echo HTTP/1.1\r\n${head}${rest.replaceAll('HOST', `localhost:${world.port}`)}`);
    expect(statuses(answer)).toHaveLength(1);
    expect(statuses(answer)[0]).toBe(400);
    expect(answer).not.toContain('"id":"bank-a"');
  });

  it.each([
    ['another host', `GET https://evil.example/v1/participants/me HTTP/1.1`],
    ['our own host', `GET https://localhost/v1/participants/me HTTP/1.1`],
    ['no path at all', 'OPTIONS * HTTP/1.1'],
  ])('a target that names %s is misdirected', async (_what, line) => {
    const answer = await exchange(`${line}\r\n${head}Connection: close\r\n\r\n`);
    expect([statuses(answer), answer.includes('host.misdirected')]).toEqual([[421], true]);
  });
});

describe('too much of everything', () => {
  it.each([
    ['a header of 100 KiB', 431, () => `GET / HTTP/1.1\r\n${head}X-A: ${'a'.repeat(100_000)}\r\n\r\n`],
    ['10,000 headers', 431, () => `GET / HTTP/1.1\r\n${head}${'X-A: b\r\n'.repeat(10_000)}\r\n`],
    ['a path of 100 KiB', 431, () => `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${head}\r\n`],
    ['a method of 1 KiB', 400, () => `${'G'.repeat(1_000)} / HTTP/1.1\r\n${head}\r\n`],
    ['not HTTP', 400, () => '\u0016\u0003\u0001 hello\r\n\r\n'],
    ['HTTP/2 by force', 400, () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s is %i, in our words, and the end', async (_what, status, text) => {
    const answer = await exchange(text());
    expect(statuses(answer)).toEqual([status]);
    expect(answer).toContain('application/problem+json');
    expect(answer).toMatch(/"code":"request\.(malformed|headers_too_large)"/);
  });

  it('a chunked body without end is cut where the call’s limit is', async () => {
    const socket = connect();
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.write(`POST /v1/security/echo HTTP/1.1\r\n${head}Content-Type: application/jose\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const piece = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000, 0x61), Buffer.from('\r\n')]);
    const feed = () => {
      while (!socket.destroyed && socket.writable && socket.write(piece));
    };
    socket.on('drain', feed);
    feed();
    await closed(socket);
    // The answer may be lost with the connection that we were still writing on.
    if (answer !== '') expect(answer).toMatch(/^HTTP\/1.1 413[\s\S]*body\.too_large/);
  });
});

describe('slow clients', () => {
  it('are cut within 30 s in production', () => {
    expect(REQUEST_TIMEOUTS.headersMs + REQUEST_TIMEOUTS.checkMs).toBeLessThanOrEqual(30_000);
  });

  it(
    'that are half open, 200 of them, harm nobody and are gone when their time is over',
    async () => {
      const slow = [
        ...Array.from({ length: HALF_OPEN / 4 }, () =>
          net
            .connect(world.port, '127.0.0.1')
            .resume()
            .on('error', () => undefined),
        ),
        ...Array.from({ length: (HALF_OPEN * 3) / 4 }, (_, i) => {
          const socket = connect().resume();
          if (i % 3 > 0) socket.write(`POST /v1/security/echo HTTP/1.1\r\nHost: `);
          if (i % 3 > 1) socket.write(`localhost:${world.port}\r\nX-Slow: `);
          return socket;
        }),
      ];
      const gone = slow.map(closed);
      const answers = await Promise.all(Array.from({ length: 20 }, () => world.call(world.client('bank-a'))));
      expect(answers.map(({ status }) => status)).toEqual(Array<number>(20).fill(200));
      // Those that never began TLS are cut by the handshake's own timeout of 10 s.
      await Promise.all(gone).finally(() => slow.forEach((socket) => socket.destroy()));
      await world.call(world.client('bank-a')).expect(200);
    },
    PATIENCE_MS,
  );

  it('that send a body drop by drop are cut too', async () => {
    const socket = connect();
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.write(`POST /v1/security/echo HTTP/1.1\r\n${head}Content-Type: application/jose\r\nContent-Length: 1000\r\n\r\n`);
    const drops = setInterval(() => socket.writable && socket.write('a'), 100);
    await closed(socket);
    clearInterval(drops);
    expect(statuses(answer).every((status) => status === 408 || status === 400)).toBe(true);
  });
});

describe('the ciphers', () => {
  const handshake = (options: tls.ConnectionOptions) =>
    new Promise<string | undefined>((resolve) => {
      const socket = connect(options);
      socket.once('secureConnect', () => {
        resolve(socket.getCipher().name);
        socket.destroy();
      });
      socket.once('error', () => resolve(undefined));
      socket.once('close', () => resolve(undefined));
    });

  it('of TLS 1.2 that are accepted all have forward secrecy and authenticated encryption', async () => {
    const known = tls.getCiphers().filter((name) => !name.startsWith('tls_'));
    const accepted = await Promise.all(
      known.map((name) =>
        handshake({ ciphers: `${name.toUpperCase()}:@SECLEVEL=0`, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }).catch(() => undefined),
      ),
    );
    const names = accepted.filter((name) => name !== undefined);
    expect(known.length).toBeGreaterThan(40);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name).toMatch(/^ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM|CHACHA20-POLY1305)/);
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('%s is refused even by those who insist', async (version) => {
    expect(await handshake({ ciphers: 'ALL:@SECLEVEL=0', minVersion: version, maxVersion: version })).toBeUndefined();
  });
});
