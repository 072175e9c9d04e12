import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/**
 * Below 32768 systems do not take ports for outgoing connections: a free one there stays free until somebody asks for it by number. Each
 * process begins somewhere else, so that two that look at the same moment do not find the same.
 */
const PORTS = { first: 15_000, count: 17_000 };
let next = randomInt(PORTS.count);

/** A loopback TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS.count; tries++) {
    const port = PORTS.first + (next++ % PORTS.count);
    if (await portIsFree(port)) return port;
  }
  throw new Error('no loopback port is free');
}

/** Whether a server could listen on this port of `host` now. */
export function portIsFree(port: number, host = LOOPBACK): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

/** Whether something accepts connections on this loopback port. */
export function portAnswers(port: number, host = LOOPBACK): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 1000 });
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket
      .once('connect', () => answer(true))
      .once('error', () => answer(false))
      .once('timeout', () => answer(false));
  });
}
