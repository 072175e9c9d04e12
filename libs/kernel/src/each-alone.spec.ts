import { expect, it } from 'vitest';
import { eachAlone } from './each-alone.js';

it('what cannot be done holds up nobody after it, and is told when all had their turn', async () => {
  const done: number[] = [];
  const work = async (n: number) => {
    if (n % 2 === 0) throw new Error(`${n} is even`);
    done.push(n);
  };
  await expect(eachAlone([1, 2, 3, 4, 5], work)).rejects.toThrow('2 is even');
  expect(done).toEqual([1, 3, 5]);
  await eachAlone([7], work);
});
