import { Metadata } from '@grpc/grpc-js';
import { RpcException } from '@nestjs/microservices';
import type { ItemProblem } from '#contract';

/** google.rpc codes by HTTP status, where a refusal's own row is not at hand. */
const CODES: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  409: 10,
  412: 9,
  413: 8,
  415: 3,
  421: 3,
  422: 3,
  429: 8,
  500: 13,
  503: 14,
};

/** A problem as a gRPC status: the stable code travels in the trailer `tallystick-code`. */
export function statusOf({ code, detail, status, field, retryAfterSeconds }: ItemProblem) {
  const metadata = new Metadata();
  metadata.set('tallystick-code', code);
  if (field !== undefined) metadata.set('tallystick-field', field);
  if (retryAfterSeconds !== undefined) metadata.set('retry-after', String(retryAfterSeconds));
  return { code: CODES[status] ?? 13, details: detail, message: detail, metadata };
}

export function rpcException(problem: ItemProblem): RpcException {
  return new RpcException(statusOf(problem));
}
