import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { ItemProblem } from '#contract';
import type { ServiceCaller } from './auth/caller.js';
import type { GrpcDecisionRequest, GrpcResult } from './grpc-messages.js';
import { statusOf } from './grpc-status.js';

/** Messages of one stream that may be without an answer; beyond it the stream is not read until answers are out. */
export const streamOutstandingMax = 1_024;

/**
 * Answers a bidirectional stream, each message as it is ready. Reading stops while too many are outstanding or the peer does not take its
 * answers, so a fast writer cannot fill our memory.
 */
export function answerStream(
  call: ServerDuplexStream<GrpcDecisionRequest, GrpcResult>,
  authorized: Promise<ServiceCaller>,
  answer: (caller: ServiceCaller, message: GrpcDecisionRequest) => Promise<GrpcResult>,
  problemOf: (error: unknown) => ItemProblem,
): void {
  let outstanding = 0;
  let ended = false;
  let blocked = false;
  const settleUp = () => {
    if (ended && outstanding === 0) call.end();
    else if (!blocked && outstanding < streamOutstandingMax && call.isPaused()) call.resume();
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
  authorized.then(
    (caller) => {
      call.on('data', (message: GrpcDecisionRequest) => {
        outstanding++;
        if (blocked || outstanding >= streamOutstandingMax) call.pause();
        void answer(caller, message).then(write);
      });
    },
    (error: unknown) => call.emit('error', statusOf(problemOf(error))),
  );
}
