import { HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import { outcomeUnknown } from '#kernel';
import { sendProblem } from './problem.filter.js';

/** What is answered, how many defects are logged, and what is said of refusals. */
function answered(error: unknown): { status: number; code: string; defects: number; warned?: unknown[] } {
  let [status, body, defects] = [0, '', 0];
  const warned: unknown[] = [];
  const reply = {
    status: (given: number) => ((status = given), reply),
    header: () => reply,
    send: (sent: string) => ((body = sent), reply),
  };
  const logger = { error: () => defects++, warn: (said: unknown) => warned.push(said) } as unknown as Logger;
  sendProblem(error, { id: '00000000-0000-4000-8000-000000000000' } as FastifyRequest, reply as unknown as FastifyReply, logger);
  return { status, code: (JSON.parse(body) as { code: string }).code, defects, ...(warned.length > 0 ? { warned } : {}) };
}

describe('what the framework finds wrong with a request is no defect of ours', () => {
  it.each([
    [403, 404, 'route.unknown'],
    [412, 400, 'request.malformed'],
    [416, 400, 'request.malformed'],
    [418, 400, 'request.malformed'],
  ])('%i of a served file is %i %s', (thrown, status, code) => {
    expect(answered(Object.assign(new Error('x'), { statusCode: thrown }))).toEqual({ status, code, defects: 0 });
    expect(answered(new HttpException('x', thrown))).toEqual({ status, code, defects: 0 });
  });

  it.each([new Error('x'), Object.assign(new Error('x'), { statusCode: 500 }), 'x', undefined])('but %s is', (error) => {
    expect(answered(error)).toEqual({ status: 500, code: 'internal', defects: 1 });
  });
});

it('why an outcome is unknown is told to the operator, not to the caller', () => {
  const { warned, ...answer } = answered(outcomeUnknown(new TypeError('x is not a function')));
  expect(answer).toEqual({ status: 503, code: 'outcome.unknown', defects: 0 });
  expect(warned).toEqual([
    expect.objectContaining({ code: 'outcome.unknown', error: expect.objectContaining({ message: 'x is not a function' }) }),
  ]);
});

it('a reason that thousands share is told ten times a second', () => {
  const told = Array.from({ length: 50 }, () => answered(outcomeUnknown(new Error('connect ECONNREFUSED'))).warned?.length ?? 0);
  expect(told.reduce((sum, one) => sum + one, 0)).toBeLessThan(30);
});
