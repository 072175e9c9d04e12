import type { ServerDuplexStream } from '@grpc/grpc-js';
import { finished } from 'node:stream';
import type { ItemProblem } from '#contract';
import { Refusal } from '#kernel';
import type { ServiceCaller } from './auth/caller.js';
import type { GrpcDecisionRequest, GrpcResult } from './grpc-messages.js';
import { statusOf } from './grpc-status.js';
import type { OpenStreams } from './open-streams.js';

/** Messages of one stream that may be without an answer; beyond it the stream is not read until answers are out. */
const streamOutstandingMax = 1_024;

const STOPPING = new Refusal(
  'unavailable',
  'door.stopping',
  'this process ends; what has no answer yet goes to another, with the same key',
  {
    retryAfterSeconds: 1,
  },
);

/**
 * Answers a bidirectional stream, each message as it is ready. Reading stops while too many are outstanding or the peer does not take its
 * answers, so a fast writer cannot fill our memory. A door that stops reads no further, answers what it read, and ends with `door.stopping`.
 */
export function answerStream(
  call: ServerDuplexStream<GrpcDecisionRequest, GrpcResult>,
  authorized: Promise<ServiceCaller>,
  answer: (caller: ServiceCaller, message: GrpcDecisionRequest) => Promise<GrpcResult>,
  problemOf: (error: unknown) => ItemProblem,
  open: OpenStreams,
): void {
  let outstanding = 0;
  let ended = false;
  let stopping = false;
  let blocked = false;
  const settleUp = () => {
    if (!call.writable) return;
    if (stopping && outstanding === 0) call.emit('error', statusOf(problemOf(STOPPING)));
    else if (ended && outstanding === 0) call.end();
    else if (!stopping && !blocked && outstanding < streamOutstandingMax && call.isPaused()) call.resume();
  };
  const write = (result: GrpcResult) => {
    outstanding--;
    if (call.writable && !call.write(result)) blocked = true;
    settleUp();
  };
  call.on('drain', () => {
    blocked = false;
    settleUp();
  });
  call.on('end', () => {
    ended = true;
    settleUp();
  });
  call.on('error', () => call.removeAllListeners('data'));
  const forget = open.add(() => {
    stopping = true;
    call.removeAllListeners('data').pause();
    settleUp();
  });
  finished(call, { readable: false }, forget);
  authorized.then(
    (caller) => {
      if (stopping) return;
      call.on('data', (message: GrpcDecisionRequest) => {
        outstanding++;
        if (blocked || outstanding >= streamOutstandingMax) call.pause();
        void answer(caller, message).then(write);
      });
    },
    (error: unknown) => call.emit('error', statusOf(problemOf(error))),
  );
}
