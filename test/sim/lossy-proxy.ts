import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Dice } from './dice.js';

/**
 * Stands between two parties and loses replies: the request has gone through and has had its effect, the answer arrives here, and instead of
 * passing it on the connection breaks.
 */
export interface LossyProxy {
  readonly port: number;
  /** The share of replies that are lost; 0 at first. */
  lossRate: number;
  /** Every loss so far. */
  readonly lost: () => number;
  /** Loses the next reply that follows a request containing these words. */
  loseReplyTo(words: string): void;
  /** How often these words passed towards the server. */
  readonly timesSent: (words: string) => number;
  close(): Promise<void>;
}

export async function lossyProxy(upstreamPort: number, dice: Dice): Promise<LossyProxy> {
  const open = new Set<Socket>();
  const sent: string[] = [];
  let armed: string | undefined;
  let lost = 0;

  const server = createServer((client) => {
    const upstream = connect(upstreamPort, '127.0.0.1');
    let losing = false;
    const both = [client, upstream];
    const end = () => both.forEach((socket) => socket.destroy());
    for (const socket of both) {
      open.add(socket);
      socket.on('error', end).on('close', () => {
        open.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      if (armed !== undefined) {
        const text = chunk.toString('latin1');
        sent.push(text);
        losing ||= text.includes(armed);
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!losing && !(proxy.lossRate > 0 && dice.chance(proxy.lossRate))) return client.write(chunk);
      lost++;
      end();
      return false;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const proxy: LossyProxy = {
    port: (server.address() as AddressInfo).port,
    lossRate: 0,
    lost: () => lost,
    loseReplyTo: (words) => {
      armed = words;
    },
    timesSent: (words) => sent.filter((text) => text.includes(words)).length,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
  return proxy;
}
