import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { networkOf } from './network-of.js';
import { refusedTotal } from './refused-total.js';

/** How often one address may begin TLS. */
export interface HandshakeLimits {
  readonly perSecondMax: number;
  /** So many may begin at once after a pause. */
  readonly burstMax: number;
  /** Connections of one address that wait for their turn; more are closed. */
  readonly waitingMax: number;
}

export function handshakeLimits(perSecondMax: number): HandshakeLimits {
  return { perSecondMax, burstMax: perSecondMax * 5, waitingMax: perSecondMax * 5 };
}

/**
 * A handshake costs us several times what a call costs, and who shakes hands is known only afterwards. So an address that opens connections
 * faster than `perSecondMax` waits before TLS begins: unread, and at no cost. Nobody who uses its connections again ever waits.
 * @returns what ends it and closes those who wait
 */
export function limitHandshakes(server: Server, limits: HandshakeLimits): () => void {
  const begin = server.listeners('connection') as ((socket: Socket) => void)[];
  const addresses = new Map<string, Address>();
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const name = networkOf(socket.remoteAddress);
    const address = addresses.get(name) ?? new Address(limits);
    addresses.set(name, address);
    address.arrive(socket, () => begin.forEach((listener) => listener.call(server, socket)));
  });
  const timer = setInterval(() => {
    for (const [name, address] of addresses) if (address.isAtRest) addresses.delete(name);
  }, 10_000).unref();
  return () => {
    clearInterval(timer);
    for (const address of addresses.values()) address.closeAll();
  };
}

/** A bucket of tokens, and who waits for one. */
class Address {
  private tokens: number;
  private atMs = performance.now();
  private readonly waiting = new Map<Socket, () => void>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly limits: HandshakeLimits) {
    this.tokens = limits.burstMax;
  }

  get isAtRest(): boolean {
    this.fill();
    return this.waiting.size === 0 && this.tokens >= this.limits.burstMax;
  }

  arrive(socket: Socket, begin: () => void): void {
    this.fill();
    if (this.waiting.size === 0 && this.tokens >= 1) {
      this.tokens--;
      return begin();
    }
    if (this.waiting.size >= this.limits.waitingMax) {
      refusedTotal.inc({ code: 'handshakes.too_many' });
      return void socket.destroy();
    }
    this.hold(socket, begin);
    this.schedule();
  }

  closeAll(): void {
    clearTimeout(this.timer);
    for (const socket of this.waiting.keys()) socket.destroy();
  }

  /** Until its turn nobody reads it; who hangs up meanwhile has no turn. */
  private hold(socket: Socket, begin: () => void): void {
    const forget = () => void this.waiting.delete(socket);
    socket.pause().on('error', forget).once('close', forget);
    this.waiting.set(socket, () => {
      socket.off('error', forget).off('close', forget);
      begin();
    });
  }

  private schedule(): void {
    if (this.timer || this.waiting.size === 0) return;
    const ms = Math.ceil(((1 - this.tokens) * 1_000) / this.limits.perSecondMax);
    this.timer = setTimeout(() => this.letThrough(), Math.max(1, ms)).unref();
  }

  private letThrough(): void {
    this.timer = undefined;
    this.fill();
    for (const [socket, begin] of this.waiting) {
      if (this.tokens < 1) break;
      this.waiting.delete(socket);
      this.tokens--;
      begin();
    }
    this.schedule();
  }

  private fill(): void {
    const nowMs = performance.now();
    this.tokens = Math.min(this.limits.burstMax, this.tokens + ((nowMs - this.atMs) * this.limits.perSecondMax) / 1_000);
    this.atMs = nowMs;
  }
}
