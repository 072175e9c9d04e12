import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { pino } from 'pino';
import { register } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type HandshakeLimits, handshakeLimits, limitHandshakes } from './limit-handshakes.js';

const limits = { perSecondMax: 1, burstMax: 20, waitingMax: 2, waitingInAllMax: 1_000 };
let end: (() => void) | undefined;
afterEach(async () => {
  end?.();
  vi.useRealTimers();
  // Who waited is counted until its socket has told that it is closed.
  await new Promise((told) => setImmediate(told));
});

/** A server that notes from where TLS begins. */
function door(changed: Partial<HandshakeLimits> = {}) {
  const began: (string | undefined)[] = [];
  const server = new EventEmitter().on('connection', ({ remoteAddress }: Socket) => began.push(remoteAddress)) as Server;
  const told: string[] = [];
  end = limitHandshakes(server, { ...limits, ...changed }, pino({ level: 'warn' }, { write: (line) => told.push(line) }));
  const arrive = (remoteAddress: string): Socket => {
    const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
    server.emit('connection', socket);
    return socket;
  };
  return { began, arrive, told };
}

describe('handshakes', () => {
  it('that come at once begin one after another but for the first, and who opens few waits for nobody', async () => {
    const { began, arrive } = door();
    for (let n = 0; n < 15; n++) arrive('203.0.113.1');
    arrive('203.0.113.2');
    expect(began).toEqual([...Array<string>(8).fill('203.0.113.1'), '203.0.113.2']);
    await vi.waitFor(() => expect(began).toHaveLength(16), 10_000);
  });

  it('of who opened fewest lately begin first', async () => {
    const { began, arrive } = door();
    for (let n = 0; n < 12; n++) arrive('203.0.113.4');
    for (let n = 0; n < 10; n++) arrive('203.0.113.5');
    await vi.waitFor(() => expect(began).toHaveLength(22), 10_000);
    // Of the first one four waited when the other came with two; each had begun eight.
    expect(began.slice(16).lastIndexOf('203.0.113.5')).toBeLessThan(5);
  });

  it('of one address are as many as may begin and wait; the others are closed, and who has gone takes nobody’s turn', async () => {
    const { began, arrive } = door();
    const sockets = Array.from({ length: 30 }, () => arrive('203.0.113.3'));
    expect(sockets.filter(({ destroyed }) => destroyed)).toHaveLength(30 - limits.burstMax - limits.waitingMax);
    for (const socket of sockets.slice(8, 15)) socket.destroy();
    await vi.waitFor(() => expect(began).toHaveLength(15), 10_000);
  });

  it('of all addresses together wait up to a bound; who has most makes room for who has fewer', () => {
    const { arrive } = door({ waitingInAllMax: 20 });
    const crowd = Array.from({ length: 22 }, () => arrive('203.0.113.7'));
    const few = Array.from({ length: 20 }, () => arrive('203.0.113.8'));
    const waiting = (sockets: Socket[]) => sockets.slice(8).filter(({ destroyed }) => !destroyed).length;
    expect([waiting(crowd), waiting(few)]).toEqual([10, 10]);
    // Who came last goes first.
    expect([crowd.at(-1)!.destroyed, crowd[8]!.destroyed]).toEqual([true, false]);
    expect(handshakeLimits(1_000)).toMatchObject({ waitingMax: 4_096, waitingInAllMax: 4_096 });
  });

  it('beyond the limit are told when they begin to wait and when it is over; who waits is counted', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
    const { arrive, told } = door();
    const waiting = async () => (await register.getSingleMetric('tallystick_gateway_handshakes_waiting')!.get()).values[0]!.value;
    const sockets = Array.from({ length: limits.burstMax }, () => arrive('203.0.113.6'));
    expect([told.length, await waiting()]).toEqual([0, limits.burstMax - 8]);
    for (let n = 0; n < limits.waitingMax + 3; n++) sockets.push(arrive('203.0.113.6'));
    expect(told.map(read)).toEqual([{ address: '203.0.113.6', perSecondMax: 1, burstMax: 20 }]);
    for (const socket of sockets) socket.destroy();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([told.slice(1).map(read), await waiting()]).toEqual([[{ address: '203.0.113.6', closed: 3 }], 0]);
  });
});

function read(line: string): object {
  const { address, perSecondMax, burstMax, closed } = JSON.parse(line) as Record<string, unknown>;
  return JSON.parse(JSON.stringify({ address, perSecondMax, burstMax, closed })) as object;
}
