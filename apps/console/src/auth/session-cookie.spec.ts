import { describe, expect, it } from 'vitest';
import { sessionCookie } from './session-cookie.js';

const TOKEN = 'A'.repeat(43);

describe('the session cookie', () => {
  it('cannot be read by scripts, sent by other sites, or taken to plain http', () => {
    expect(sessionCookie(true).set(TOKEN)).toBe(`__Host-tallystick=${TOKEN}; Path=/; HttpOnly; SameSite=Strict; Secure`);
    expect(sessionCookie(false).set(TOKEN)).toBe(`tallystick=${TOKEN}; Path=/; HttpOnly; SameSite=Strict`);
    expect(sessionCookie(true).clear()).toContain('Max-Age=0');
  });

  it.each<[string, string | undefined, string | undefined]>([
    ['alone', `tallystick=${TOKEN}`, TOKEN],
    ['among others', `a=b; tallystick=${TOKEN}; c=d`, TOKEN],
    ['absent', 'a=b', undefined],
    ['no header', undefined, undefined],
    ['twice', `tallystick=${TOKEN}; tallystick=${TOKEN}`, undefined],
    ['out of form', 'tallystick=short', undefined],
    ['under another name', `xtallystick=${TOKEN}`, undefined],
  ])('is read %s', (_, header, token) => {
    expect(sessionCookie(false).read(header)).toBe(token);
  });
});
