import { describe, expect, it } from 'vitest';
import { LostReply } from '#kernel';
import { orStatementTimedOut, slowDatabase } from './slow-database.js';

const failed = (message: string, fields: object = {}) => Object.assign(new Error(message), fields);
const refused = { code: 'ECONNREFUSED', syscall: 'connect', errno: -111 };
const reset = { code: 'ECONNRESET', syscall: 'read', errno: -104 };
const ofPostgres = (code: string) => failed('told by PostgreSQL', { code, severity: 'FATAL' });
/** As Prisma's driver adapter tells what the driver said. */
const ofPrisma = (cause: object, code = 'P2010') => failed('told by Prisma', { code, meta: { driverAdapterError: failed('', { cause }) } });

/** The code that a read and a write are told. */
const codes = (error: unknown) => [true, false].map((isRead) => slowDatabase(error, isRead)?.code);

describe('what a caller is told while the database is away', () => {
  it.each([
    ['nobody listens', orStatementTimedOut(failed('connect ECONNREFUSED', refused))],
    ['nobody listens, says Prisma', ofPrisma({ kind: 'DatabaseNotReachable', host: '127.0.0.1', port: 5432 })],
    ['it starts, stops or recovers', ofPostgres('57P03')],
    ['it starts, stops or recovers, says Prisma', ofPrisma({ kind: 'postgres', code: '57P03' })],
    ['it has no connection left', ofPostgres('53300')],
    ['of a cause', failed('could not read', { cause: ofPostgres('57P03') })],
  ])('nothing was asked, so nothing was done: %s', (_what, error) => {
    expect(codes(error)).toEqual(['database.away', 'database.away']);
    expect(slowDatabase(error)).toMatchObject({ kind: 'unavailable', hints: { retryAfterSeconds: 1 }, cause: error });
  });

  it.each([
    ['it was stopped', ofPostgres('57P01')],
    ['it was stopped, says Prisma', ofPrisma({ kind: 'postgres', code: '57P01' })],
    ['it crashed', ofPostgres('57P02')],
    ['the socket was reset', orStatementTimedOut(failed('read ECONNRESET', reset))],
    ['the socket was reset, says Prisma', ofPrisma({ kind: 'ConnectionClosed' })],
    ['the socket ended', failed('Connection terminated unexpectedly')],
    ['the connection is known to be broken', failed('Client has encountered a connection error and is not queryable')],
  ])('a write may have been done, a read is repeated: %s', (_what, error) => {
    expect(codes(error)).toEqual(['database.away', 'outcome.unknown']);
  });

  it('who waited too long for a connection has asked nothing, also where Prisma waited', () => {
    expect(codes(failed('timeout exceeded when trying to connect'))).toEqual(['database.timeout', 'database.timeout']);
    expect(codes(ofPrisma({ kind: 'postgres', code: '57014' }))).toEqual(['database.timeout', 'database.timeout']);
  });

  it('what the ledger could not look up stays unknown', () => {
    expect(codes(new LostReply('lost', { cause: orStatementTimedOut(failed('', refused)) }))).toEqual([
      'outcome.unknown',
      'outcome.unknown',
    ]);
  });

  it('sockets to others and other errors of PostgreSQL are not the database’s being away', () => {
    for (const error of [
      failed('connect ECONNREFUSED', refused),
      failed('aborted', reset),
      ofPostgres('23505'),
      new TypeError('x'),
      'x',
      undefined,
    ]) {
      expect(codes(error)).toEqual([undefined, undefined]);
    }
  });
});
