import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { isOperation } from './admit.js';

const from = (remoteAddress: string | undefined, url: string) => ({ raw: { url }, socket: { remoteAddress } }) as unknown as FastifyRequest;

describe('what is for the supervisor and Prometheus', () => {
  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])('is theirs on this machine (%s)', (address) => {
    for (const path of ['/health', '/ready', '/metrics', '/metrics?x=1']) expect(isOperation(from(address, path))).toBe(true);
  });

  it.each(['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', undefined])(
    'is closed to %s, who must be admitted as any partner',
    (address) => {
      for (const path of ['/health', '/ready', '/metrics']) expect(isOperation(from(address, path))).toBe(false);
    },
  );

  it.each(['/v1/records', '/metrics/', '/Metrics', '/%6detrics', '//metrics', ''])('is not %j', (path) => {
    expect(isOperation(from('127.0.0.1', path))).toBe(false);
  });
});
