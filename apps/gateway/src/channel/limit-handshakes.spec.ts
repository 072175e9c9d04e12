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
});
