import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { sentence } from './sentence.js';

describe('what a failed command says', () => {
  it('is the code and the detail of a refusal', () => {
    expect(sentence(new Refusal('conflict', 'policy.state', 'version 2 is DRAFT'))).toBe('policy.state: version 2 is DRAFT');
  });

  it('is what to do where the database is down', async () => {
    const error = await new Promise((resolve) => connect({ host: '127.0.0.1', port: 1 }).on('error', resolve));
    expect(sentence(error)).toMatch(/^nothing answers at 127\.0\.0\.1:1: is the installation running\?/);
  });

  it('is the file that is not there', async () => {
    const error: unknown = await readFile('/no/such-policy.json').catch((reason: unknown) => reason);
    expect(sentence(error)).toBe('there is no /no/such-policy.json');
  });

  it.each([
    [{ code: 'EACCES', path: '/a/key.pem' }, '/a/key.pem is closed to this account'],
    [{ code: 'EISDIR' }, 'a folder was named where a file is wanted'],
    [{ code: 'ENOTFOUND', hostname: 'db.example' }, 'no machine is called db.example'],
  ])('is what to look at: %o', (told, said) => {
    expect(sentence(Object.assign(new Error('x'), told))).toBe(said);
    expect(sentence(new AggregateError([Object.assign(new Error('x'), told)], 'all failed'))).toBe(said);
  });

  it('is whatever else was said', () => {
    expect(sentence(new Error('x'))).toBe('x');
    expect(sentence('y')).toBe('y');
    // As Prisma says it.
    expect(sentence(new Error('\nInvalid `prisma.x()` invocation:\n\n\nno server'))).toBe('Invalid `prisma.x()` invocation: no server');
  });
});
