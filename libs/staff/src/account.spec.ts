import { describe, expect, it } from 'vitest';
import { parseAccountName, parseNewPassword } from './account.js';

describe('the name of an account', () => {
  it.each(['ab', 'ada.lovelace', 'a-1_b', 'a'.repeat(40)])('may be %j', (name) => {
    expect(parseAccountName(name)).toBe(name);
  });

  it.each(['a', 'a'.repeat(41), 'Ada', '1ada', '-ada', 'ad a', 'adä', 'ada\n', ''])('may not be %j', (name) => {
    expect(() => parseAccountName(name)).toThrow('staff.name_malformed');
  });
});

describe('a new password', () => {
  it.each([12, 200])('may have %i characters', (chars) => {
    expect(parseNewPassword('x'.repeat(chars))).toHaveLength(chars);
  });

  it.each([0, 11, 201])('may not have %i characters', (chars) => {
    expect(() => parseNewPassword('x'.repeat(chars))).toThrow('staff.password_weak');
  });
});
