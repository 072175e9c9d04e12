import { describe, expect, it } from 'vitest';
import { nodeClerk } from '../adapters/node-notary.js';
import { factsOfList, listEntries, listPlace } from './list-place.js';

const SECRET = '5f0f4c0e-9a3e-4f0a-8f57-0f2f3a1b2c3d';
const place = (fact: number, secret = SECRET) => listPlace(BigInt(fact), secret, nodeClerk);

describe('a place in a status list', () => {
  it('is another one for every fact, and every place is taken', () => {
    const taken = new Uint8Array(listEntries);
    for (let fact = 0; fact < listEntries; fact++) taken[place(fact).index]!++;
    expect(taken.every((count) => count === 1)).toBe(true);
  });

  it('tells nothing of the order of facts: neighbours are as far apart as strangers', () => {
    const gaps = Array.from({ length: 4_000 }, (_, fact) => Math.abs(place(fact).index - place(fact + 1).index));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(Math.abs(mean / listEntries - 1 / 3)).toBeLessThan(0.02);
  });

  it('is another one under another secret and in another list', () => {
    const same = (other: (fact: number) => number) =>
      Array.from({ length: 1_000 }, (_, fact) => other(fact) === place(fact).index).filter(Boolean).length;
    expect(same((fact) => place(fact, 'another').index)).toBeLessThan(5);
    expect(same((fact) => place(fact + listEntries).index)).toBeLessThan(5);
  });

  it('stands in the list of its fact', () => {
    for (const fact of [0, 1, listEntries - 1, listEntries, 3 * listEntries + 7]) {
      const { from, before } = factsOfList(place(fact).list);
      expect(from <= BigInt(fact) && BigInt(fact) < before).toBe(true);
    }
  });
});
