import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { KeptOn } from './kept-on.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (how: { type: 'minor' }) => void;
const oldGenerationBytes = () => getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')!.space_used_size;

const VALUE_BYTES = 8_000;
const OBJECTS = 2_000;
const COLLECTIONS = 20;
/** What a `WeakMap` keeps its entries in is old by then, and need not grow. */
const ELDERS = 1_000;

it('is of the object it was set on', () => {
  const [colours, sizes] = [new KeptOn<object, string>(), new KeptOn<object, number>()];
  const [one, other] = [{}, {}];
  colours.set(one, 'red');
  sizes.set(one, 7);
  expect([colours.get(one), sizes.get(one), colours.get(other)]).toEqual(['red', 7, undefined]);
  expect([Object.keys(one), JSON.stringify(one)]).toEqual([[], '{}']);
});

it('goes with its object, before it gets old', () => {
  const kept = new KeptOn<object, number[]>();
  const elders = Array.from({ length: ELDERS }, () => ({}));
  for (const elder of elders) kept.set(elder, []);
  collectYoung();
  const movedBytes = Math.min(...Array.from({ length: 3 }, () => bytesMoved(kept)));
  expect(movedBytes).toBeLessThan((VALUE_BYTES * OBJECTS) / 20);
  expect(elders.every((elder) => kept.get(elder))).toBe(true);
});

/** What became old of the values of objects that are gone. */
function bytesMoved(kept: KeptOn<object, number[]>): number {
  const before = oldGenerationBytes();
  for (let round = 0; round < COLLECTIONS; round++) {
    for (let i = 0; i < OBJECTS / COLLECTIONS; i++) kept.set({}, new Array<number>(VALUE_BYTES / 8).fill(i));
    collectYoung();
  }
  return oldGenerationBytes() - before;
}

/** Twice: what survives both is old. */
function collectYoung(): void {
  collect({ type: 'minor' });
  collect({ type: 'minor' });
}
