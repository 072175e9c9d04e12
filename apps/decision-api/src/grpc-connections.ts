import type { Server as GrpcServer, ServerOptions } from '@grpc/grpc-js';
import type { Http2Server } from 'node:http2';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { limitConnections } from '#platform/adapters/limit-connections';

export interface GrpcLimits {
  /** Open connections of one process, on each address that it listens on, at 34 KiB each (2026-11-23); another one is closed as it comes. */
  readonly connectionsMax: number;
  /** Calls under way on one connection, each of which may hold a message; who wants more opens another. */
  readonly streamsMax: number;
  /** Without a call for so long, a connection is ended (GOAWAY): the client opens another when it calls again. */
  readonly idleMs: number;
  /** A peer is asked for a sign of life so often, and is gone without an answer in time. */
  readonly pingEveryMs: number;
  readonly pingAnswerMs: number;
  /** Longer than a ping and its answer take. */
  readonly lookEveryMs: number;
}

/** No age: a stream of decisions may run for ever, and its end would have to be told to who sends on it. */
export const GRPC_LIMITS: GrpcLimits = {
  connectionsMax: 2_000,
  streamsMax: 256,
  idleMs: 300_000,
  pingEveryMs: 60_000,
  pingAnswerMs: 20_000,
  lookEveryMs: 120_000,
};

/** What grpc-js does of it by itself. */
export function serverOptions(limits: GrpcLimits): ServerOptions {
  return {
    'grpc.max_concurrent_streams': limits.streamsMax,
    'grpc.max_connection_idle_ms': limits.idleMs,
    'grpc.keepalive_time_ms': limits.pingEveryMs,
    'grpc.keepalive_timeout_ms': limits.pingAnswerMs,
  };
}

/** The rest, on a server that is bound: grpc-js counts no connections, and waits for ever for a peer to close what it has ended. */
export function boundConnections(server: GrpcServer, limits: GrpcLimits, logger: Logger): void {
  for (const listener of listenersOf(server)) {
    limitConnections(listener, limits.connectionsMax, logger);
    closeDead(listener, limits.lookEveryMs);
  }
}

/** They are private to grpc-js 1.14. A door without bounds does not open. */
function listenersOf(server: GrpcServer): readonly Http2Server[] {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2Server, unknown> };
  if (!http2Servers?.size) throw new Error('this @grpc/grpc-js keeps its listeners elsewhere: find them, to bound its connections');
  return [...http2Servers.keys()];
}

const ENDED = -1;

/** Closes what did not change between two looks: nothing came, though a living peer answers pings, or we ended it and the peer did not. */
function closeDead(listener: Http2Server, lookEveryMs: number): void {
  const seen = new Map<Socket, number>();
  listener.on('connection', (socket: Socket) => {
    seen.set(socket, 0);
    socket.once('close', () => seen.delete(socket));
  });
  const timer = setInterval(() => {
    for (const [socket, before] of seen) {
      const now = socket.writableEnded ? ENDED : socket.bytesRead;
      if (now === before) socket.destroy();
      else seen.set(socket, now);
    }
  }, lookEveryMs).unref();
  listener.once('close', () => clearInterval(timer));
}
