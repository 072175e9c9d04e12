import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ConnectionLimit } from './connection-limit.js';

const LIMITS = { connectionsMax: 2, pipelinedMax: 2 };
const closed = (socket: Socket) => new Promise((resolve) => socket.destroy().once('close', resolve));
const codeOf = (act: () => void) => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('what one participant may have open', () => {
  it('counts its connections, each once, and gives back those that close', async () => {
    const limit = new ConnectionLimit(LIMITS);
    const [first, second, third] = [new Socket(), new Socket(), new Socket()];
    for (const socket of [first, first, second]) limit.begin('bank-a', socket);
    expect(codeOf(() => limit.begin('bank-a', third))).toBe('connections.too_many');
    expect(codeOf(() => limit.begin('bank-b', new Socket()))).toBeUndefined();
    await closed(first);
    expect(codeOf(() => limit.begin('bank-a', third))).toBeUndefined();
  });

  it('cuts a connection on which too many requests wait, and only then', () => {
    const limit = new ConnectionLimit(LIMITS);
    const socket = new Socket();
    for (let i = 0; i < 5; i++) {
      limit.begin('bank-a', socket);
      limit.begin('bank-a', socket);
      limit.end(socket);
      limit.end(socket);
    }
    limit.begin('bank-a', socket);
    limit.begin('bank-a', socket);
    expect(socket.destroyed).toBe(false);
    expect(codeOf(() => limit.begin('bank-a', socket))).toBe('connection.pipelined');
    expect(socket.destroyed).toBe(true);
  });
});
