import { describe, expect, it, vi } from 'vitest';
import { Interner } from './interner.js';

describe('Interner', () => {
  it('makes one object for each key', () => {
    const interner = new Interner<{ name: string }>(10);
    const make = vi.fn(() => ({ name: 'a' }));
    const first = interner.intern('a', make);
    expect(interner.intern('a', make)).toBe(first);
    expect(make).toHaveBeenCalledTimes(1);
    expect(interner.intern('b', () => ({ name: 'b' }))).toEqual({ name: 'b' });
    expect(interner.intern('a', make)).toBe(first);
  });

  it('never holds more than it may', () => {
    const interner = new Interner<{ name: string }>(2);
    const named = (name: string) => interner.intern(name, () => ({ name }));
    const [a, b] = [named('a'), named('b')];
    expect([named('a'), named('b')]).toEqual([a, b]);
    named('c');
    expect(named('a')).not.toBe(a);
    expect(named('a')).toEqual(a);
  });
});
