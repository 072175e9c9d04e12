import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLogger } from '../logging.js';
import { createHttpApp } from './http-app.js';
import { refusedTotal } from './refused-total.js';

const CONNECTIONS_MAX = 3;
let app: NestFastifyApplication;
const open: Socket[] = [];

beforeAll(async () => {
  const logger = createLogger('test', 'silent');
  app = await createHttpApp({ module: class Nothing {} }, { logger, bodyBytesMax: 1_024, connectionsMax: CONNECTIONS_MAX });
  await app.listen(0, '127.0.0.1');
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  await app.close();
});

function caller(): Socket {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  open.push(socket);
  return socket;
}

/** The status that a caller is answered on its connection, which stays open; undefined where that was closed. */
async function ask(socket: Socket): Promise<string | undefined> {
  socket.write('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const first = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [])]);
  return first[0] === undefined ? undefined : String(first[0]).slice(9, 12);
}

const dropped = async () => (await refusedTotal.get()).values.find(({ labels }) => labels.code === 'connections.too_many')?.value ?? 0;

it('a process has so many connections open and no more; those that it has are served on, and one that ends makes room', async () => {
  const before = await dropped();
  const resting = Array.from({ length: CONNECTIONS_MAX }, caller);
  for (const socket of resting) expect(await ask(socket)).toBe('404');
  expect(await ask(caller())).toBeUndefined();
  expect(await ask(caller())).toBeUndefined();
  expect(await dropped()).toBe(before + 2);
  expect(await ask(resting[0]!)).toBe('404');
  resting[1]!.destroy();
  await expect.poll(() => ask(caller())).toBe('404');
});
