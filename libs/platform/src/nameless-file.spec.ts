import { expect, it } from 'vitest';
import { openNameless } from './nameless-file.js';

it('a file without a name is nobody else’s, and ends with its handle', async () => {
  const handle = await openNameless();
  await handle.writeFile('one');
  await handle.writeFile('two');
  const { nlink, mode } = await handle.stat();
  expect([nlink, mode & 0o777]).toEqual([0, 0o600]);
  const pieces: Buffer[] = [];
  for await (const piece of handle.createReadStream({ start: 0, autoClose: false })) pieces.push(piece as Buffer);
  expect(Buffer.concat(pieces).toString()).toBe('onetwo');
  await handle.close();
});
