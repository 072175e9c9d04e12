import { expect, it } from 'vitest';
import { KeysInFlight } from './keys-in-flight.js';

const [A, B] = [Uint8Array.of(1), Uint8Array.of(2)];
const NAME = 'checkout\n0190-subject\nkey-of-twenty-four-chars';

const gated = () => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const works: string[] = [];
  const work = (name: string) => async () => {
    works.push(name);
    await gate;
    return { name, replayed: false };
  };
  return { open, works, work };
};

it('does the work of a key once, tells a repetition the same, and another body that the key is taken', async () => {
  const keys = new KeysInFlight<{ name: string; replayed: boolean }>();
  const { open, works, work } = gated();
  const answers = [keys.run(NAME, A, work('first')), keys.run(NAME, A, work('second'))];
  await expect(keys.run(NAME, B, work('third'))).rejects.toMatchObject({ code: 'idempotency.key_reused' });
  open();
  expect(await Promise.all(answers)).toEqual([
    { name: 'first', replayed: false },
    { name: 'first', replayed: true },
  ]);
  expect(works).toEqual(['first']);
});

it('keeps keys apart that end alike, and forgets each when its work has ended, well or badly', async () => {
  const keys = new KeysInFlight<{ name: string; replayed: boolean }>();
  const { open, works, work } = gated();
  const names = Array.from({ length: 5 }, (_, i) => `service-${i}\n${NAME}`);
  const answers = names.map((name) => keys.run(name, A, work(name)));
  const failing = keys.run(`bad\n${NAME}`, A, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  open();
  expect(await Promise.all(answers)).toEqual(names.map((name) => ({ name, replayed: false })));
  for (const name of [...names, `bad\n${NAME}`]) {
    expect(await keys.run(name, B, () => Promise.resolve({ name: 'again', replayed: false }))).toEqual({ name: 'again', replayed: false });
  }
  expect(works).toEqual(names);
});
