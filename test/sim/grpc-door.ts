import { randomInt } from 'node:crypto';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { DecisionAnswer } from '#contract';
import { type Ask, CURRENCY, type Door, Final } from './doors.js';

type Result = {
  readonly tag: string;
  readonly answer?: DecisionAnswer;
  readonly problem?: { readonly code: string; readonly status: number };
};
type Stream = grpc.ClientDuplexStream<object, Result>;
interface Waiting {
  readonly resolve: (answer: DecisionAnswer) => void;
  readonly reject: (error: Error) => void;
}

const attemptMsMax = 10_000;
const LATER = new Set<number>([
  grpc.status.UNAVAILABLE,
  grpc.status.INTERNAL,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.CANCELLED,
  grpc.status.UNKNOWN,
]);

/** A door over gRPC: decisions on one bidirectional stream, opened anew when it breaks; steps one by one. */
export function grpcDoor(port: number, token: () => Promise<string>): Door & { close(): void } {
  const client = makeClient(port);
  const waiting = new Map<string, Waiting>();
  let stream: Promise<Stream> | undefined;

  const open = async (): Promise<Stream> => {
    const opened = (client as never as { decideStream(metadata: grpc.Metadata): Stream }).decideStream(await bearer(token));
    const failed = (error: Error) => {
      stream = undefined;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    return opened
      .on('data', (result: Result) => settle(waiting, result))
      .on('error', failed)
      .on('end', () => failed(new Error('stream ended')));
  };

  return {
    decide: async (ask, key) => {
      const tag = String(randomInt(2 ** 40));
      const answered = new Promise<DecisionAnswer>((resolve, reject) => waiting.set(tag, { resolve, reject }));
      answered.catch(() => undefined);
      (await (stream ??= open())).write({ ...messageOf(ask), idempotencyKey: key, tag });
      return await inTime(answered).finally(() => waiting.delete(tag));
    },
    settle: async (kind, reservationId, amount, idempotencyKey) => {
      const message = { reservationId, idempotencyKey, ...(amount === undefined ? {} : { amount: { amount, currency: CURRENCY } }) };
      await unary(client, kind, message, await bearer(token));
    },
    close: () => {
      void stream?.then((opened) => opened.cancel());
      client.close();
    },
  };
}

function makeClient(port: number): grpc.Client {
  const loaded = grpc.loadPackageDefinition(
    loadSync('apps/decision-api/proto/decision.proto', { longs: String, enums: String, defaults: false }),
  );
  const Service = (loaded as never)['tallystick']['decision']['v1']['DecisionService'] as grpc.ServiceClientConstructor;
  // A process that was killed is back within a second: do not wait longer before trying again.
  return new Service(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
    'grpc.enable_retries': 0,
  });
}

function messageOf({ amount, ...ask }: Ask): object {
  return { ...ask, amount: { amount, currency: CURRENCY }, mode: 'RESERVE' };
}

function settle(waiting: ReadonlyMap<string, Waiting>, { tag, answer, problem }: Result): void {
  const one = waiting.get(tag);
  if (!one) return;
  if (answer) one.resolve(answer);
  else
    one.reject(problem!.status >= 500 || problem!.code === 'idempotency.in_flight' ? new Error(problem!.code) : new Final(problem!.code));
}

function unary(client: grpc.Client, method: string, message: object, metadata: grpc.Metadata): Promise<unknown> {
  const call = (client as unknown as Record<string, (...args: unknown[]) => void>)[method]!.bind(client);
  return new Promise((resolve, reject) => {
    call(message, metadata, { deadline: Date.now() + attemptMsMax }, (error: grpc.ServiceError | null, answer: unknown) => {
      if (!error) return resolve(answer);
      const code = error.metadata.get('tallystick-code')[0]?.toString() ?? error.message;
      return reject(LATER.has(error.code) || code === 'idempotency.in_flight' ? new Error(code) : new Final(code));
    });
  });
}

async function bearer(token: () => Promise<string>): Promise<grpc.Metadata> {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${await token()}`);
  return metadata;
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), attemptMsMax);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
