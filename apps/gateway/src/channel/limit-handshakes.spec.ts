import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { limitHandshakes } from './limit-handshakes.js';

const limits = { perSecondMax: 1, burstMax: 20, waitingMax: 2 };
let end: (() => void) | undefined;
afterEach(() => end?.());

/** A server that notes from where TLS begins. */
function door() {
  const began: (string | undefined)[] = [];
  const server = new EventEmitter().on('connection', ({ remoteAddress }: Socket) => began.push(remoteAddress)) as Server;
  end = limitHandshakes(server, limits);
  const arrive = (remoteAddress: string): Socket => {
    const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
    server.emit('connection', socket);
    return socket;
  };
  return { began, arrive };
}

describe('handshakes', () => {
  it('that come at once begin one after another, and who comes next does not wait for all of them', async () => {
    const { began, arrive } = door();
    for (let n = 0; n < 15; n++) arrive('203.0.113.1');
    arrive('203.0.113.2');
    expect(began).toEqual(['203.0.113.1']);
    await vi.waitFor(() => expect(began).toHaveLength(16), 10_000);
    expect(began.indexOf('203.0.113.2')).toBeLessThan(3);
  });

  it('of one address are as many as may begin and wait; the others are closed, and who has gone takes nobody’s turn', async () => {
    const { began, arrive } = door();
    const sockets = Array.from({ length: 30 }, () => arrive('203.0.113.3'));
    expect(sockets.filter(({ destroyed }) => destroyed)).toHaveLength(30 - limits.burstMax - limits.waitingMax);
    for (const socket of sockets.slice(5, 15)) socket.destroy();
    await vi.waitFor(() => expect(began).toHaveLength(12), 10_000);
  });
});
