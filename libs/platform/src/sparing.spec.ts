import { expect, it } from 'vitest';
import { Sparing } from './sparing.js';

it('lets so many of each kind through in a second, and tells with the next how many it left out', () => {
  const sparing = new Sparing(2);
  const at = (nowMs: number, kind = 'a') => sparing.pass(kind, nowMs);
  expect([at(10), at(11), at(12), at(900), at(900, 'b')]).toEqual([0, 0, undefined, undefined, 0]);
  expect([at(1_010), at(1_011), at(1_012), at(3_000)]).toEqual([2, 0, undefined, 1]);
});
