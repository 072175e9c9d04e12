import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import type { Logger } from 'pino';
import { Gauge } from 'prom-client';
import { networkOf } from '#platform';
import { refusedTotal } from './refused-total.js';

const waitingGauge = new Gauge({
  name: 'tallystick_gateway_handshakes_waiting',
  help: 'connections that wait for TLS to begin: for long only where an address opens more than HANDSHAKES_PER_SECOND',
});

/** How often one address may begin TLS. */
export interface HandshakeLimits {
  readonly perSecondMax: number;
  /** So many may begin at once after a pause. */
  readonly burstMax: number;
  /** Connections of one address that wait for their turn; more are closed. */
  readonly waitingMax: number;
  /** Of all addresses together: there are more addresses than memory. */
  readonly waitingInAllMax: number;
}

/** Each holds 3 KiB of ours (2026-11-22), and a file of the process. */
const waitingInAllMax = 4_096;

/** Many may wait, because who is closed comes back at once: a thousand closed a second took more of the loop than those that began. */
export function handshakeLimits(perSecondMax: number): HandshakeLimits {
  return { perSecondMax, burstMax: perSecondMax * 5, waitingMax: Math.min(perSecondMax * 50, waitingInAllMax), waitingInAllMax };
}

/** Between the beginnings of two handshakes of those who open many: some times what one takes of our time. */
const paceMs = 10;
/** So many of one address begin at once after a pause, whoever else is in line: who opens few never waits. */
const atOnceMax = 8;

/**
 * A handshake costs us several times what a call costs, and who shakes hands is known only afterwards. So an address that opens connections
 * faster than `perSecondMax` waits before TLS begins: unread, and at no cost. Nobody who uses its connections again ever waits. And many that come
 * at once begin one after another, who opened fewest lately first: together they would hold up every call that is under way.
 * @returns what ends it and closes those who wait
 */
export function limitHandshakes(server: Server, limits: HandshakeLimits, logger: Logger): () => void {
  const begin = server.listeners('connection') as ((socket: Socket) => void)[];
  const line = new HandshakeLine(limits, logger);
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    line.arrive(networkOf(socket.remoteAddress), socket, () => begin.forEach((listener) => listener.call(server, socket)));
  });
  const timer = setInterval(() => line.forgetRested(), 10_000).unref();
  return () => {
    clearInterval(timer);
    line.closeAll();
  };
}

/** Who waits for TLS to begin, by address; who opens few passes by. */
class HandshakeLine {
  private readonly addresses = new Map<string, Address>();
  /** Those for whom somebody waits. */
  private turns: Address[] = [];
  private nextMs = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: HandshakeLimits,
    private readonly logger: Logger,
  ) {}

  arrive(name: string, socket: Socket, begin: () => void): void {
    const address = this.addresses.get(name) ?? new Address(this.limits);
    this.addresses.set(name, address);
    if (address.isFull) return address.refuse(socket);
    if (address.isCalm) {
      this.nextMs = performance.now() + paceMs;
      return address.begin(begin);
    }
    if (!this.makeRoomFor(address)) return address.refuse(socket);
    address.hold(socket, begin);
    if (address.waitingCount > address.tokensLeft) this.tellBeyond(name, address);
    if (!this.turns.includes(address)) this.turns.push(address);
    if (!this.timer) this.letThrough();
  }

  /** Where too many wait in all, the last of whoever has most is closed: who opens few gets a place however many addresses a crowd has. */
  private makeRoomFor(address: Address): boolean {
    const waiting = this.turns.reduce((count, { waitingCount }) => count + waitingCount, 0);
    if (waiting < this.limits.waitingInAllMax) return true;
    const fullest = this.turns.reduce((most, one) => (one.waitingCount > most.waitingCount ? one : most), address);
    if (fullest.waitingCount <= address.waitingCount + 1) return false;
    fullest.refuseLast();
    return true;
  }

  forgetRested(): void {
    for (const [name, address] of this.addresses) {
      if (!address.isAtRest) continue;
      this.addresses.delete(name);
      if (address.isBeyond) this.logger.warn({ address: name, closed: address.closed }, 'connections within HANDSHAKES_PER_SECOND again');
    }
  }

  /** One line when it begins and one when it is over: behind a balancer that hides addresses it is the operator who has to raise the limit. */
  private tellBeyond(name: string, address: Address): void {
    if (address.isBeyond) return;
    address.isBeyond = true;
    const { perSecondMax, burstMax } = this.limits;
    this.logger.warn({ address: name, perSecondMax, burstMax }, 'connections beyond HANDSHAKES_PER_SECOND: more wait before TLS begins');
  }

  closeAll(): void {
    clearTimeout(this.timer);
    this.turns = [];
    for (const address of this.addresses.values()) address.closeAll();
  }

  /** One, and then the next when its time has come. */
  private letThrough(): void {
    this.timer = undefined;
    const [due] = this.turns.filter((address) => address.msToToken() === 0).sort((a, b) => b.tokensLeft - a.tokensLeft);
    if (due && performance.now() >= this.nextMs) {
      this.nextMs = performance.now() + paceMs;
      due.beginFirst();
    }
    this.schedule();
  }

  private schedule(): void {
    this.turns = this.turns.filter(({ waitingCount }) => waitingCount > 0);
    if (this.turns.length === 0) return;
    const toTokenMs = Math.min(...this.turns.map((address) => address.msToToken()));
    const ms = Math.max(1, Math.ceil(Math.max(toTokenMs, this.nextMs - performance.now())));
    this.timer = setTimeout(() => this.letThrough(), ms).unref();
  }
}

/** A bucket of tokens, and who waits for one. */
class Address {
  /** It opened more than it may since it last was at rest; so many were closed. */
  isBeyond = false;
  closed = 0;
  private tokens: number;
  private atMs = performance.now();
  private readonly waiting = new Map<Socket, () => void>();

  constructor(private readonly limits: HandshakeLimits) {
    this.tokens = limits.burstMax;
  }

  get isAtRest(): boolean {
    this.fill();
    return this.waiting.size === 0 && this.tokens >= this.limits.burstMax;
  }

  /** Those for whom a token is there do not count: they wait a moment only. */
  get isFull(): boolean {
    this.fill();
    return this.waiting.size >= this.limits.waitingMax + Math.floor(this.tokens);
  }

  /** It opened few lately, and nobody of it waits. */
  get isCalm(): boolean {
    this.fill();
    return this.waiting.size === 0 && this.tokens >= Math.max(1, this.limits.burstMax - atOnceMax + 1);
  }

  get tokensLeft(): number {
    return this.tokens;
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  /** 0 where a token is there. */
  msToToken(): number {
    this.fill();
    return this.tokens >= 1 ? 0 : ((1 - this.tokens) * 1_000) / this.limits.perSecondMax;
  }

  /** Until its turn nobody reads it; who hangs up meanwhile has no turn. */
  hold(socket: Socket, begin: () => void): void {
    const forget = () => this.waiting.delete(socket) && waitingGauge.dec();
    socket.pause().on('error', forget).once('close', forget);
    waitingGauge.inc();
    this.waiting.set(socket, () => {
      socket.off('error', forget).off('close', forget);
      begin();
    });
  }

  refuse(socket: Socket): void {
    refusedTotal.inc({ code: 'handshakes.too_many' });
    this.closed++;
    socket.destroy();
  }

  refuseLast(): void {
    const last = [...this.waiting.keys()].at(-1)!;
    this.waiting.delete(last);
    waitingGauge.dec();
    this.refuse(last);
  }

  beginFirst(): void {
    const [first] = this.waiting;
    if (!first) return;
    this.waiting.delete(first[0]);
    waitingGauge.dec();
    this.begin(first[1]);
  }

  begin(begin: () => void): void {
    this.tokens--;
    begin();
  }

  closeAll(): void {
    for (const socket of this.waiting.keys()) socket.destroy();
  }

  private fill(): void {
    const nowMs = performance.now();
    this.tokens = Math.min(this.limits.burstMax, this.tokens + ((nowMs - this.atMs) * this.limits.perSecondMax) / 1_000);
    this.atMs = nowMs;
  }
}
