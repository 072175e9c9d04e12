import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { sameBytes } from '../bytes.js';
import { encodeBase64Url } from '../jose/base64url.js';
import { packed } from '../testing/naive-items.js';
import { boundAt, END, type Item } from './bound.js';
import { fingerprintOf } from './fingerprint.js';
import { frameBytesMin } from './frame.js';
import { Initiator } from './initiator.js';
import { MessageWriter, readRanges } from './message.js';
import { respond, type Side } from './respond.js';
import { SetTree } from './set-tree.js';
import { encodeVarint, MessageBytes } from './varint.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const hashed = (n: number): Uint8Array => sha256(Buffer.from(`id ${n}`));
const limits = { roundsMax: 3_000, bytesMax: 20_000_000, differencesMax: 100_000 };

const sideOf = (items: readonly Item[], frameBytesMax = 1_000_000): Side => ({
  items: SetTree.empty.with(packed(items)),
  sha256,
  frameBytesMax,
});

function answerOf(side: Side, message: Uint8Array): Uint8Array {
  const steps = respond(side, message);
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

/** What a message says of each of its ranges is what its sender holds there, also where the message was cut off because it was full. */
function expectTruth({ items }: Side, message: Uint8Array): void {
  let from = 0;
  for (const range of readRanges(message)) {
    const to = items.rank(range.upper);
    if (range.mode === 'IDS') expect(sameBytes(range.ids, items.ids(from, to))).toBe(true);
    if (range.mode === 'FINGERPRINT') expect(sameBytes(range.fingerprint, fingerprintOf(items, from, to, sha256))).toBe(true);
    from = to;
  }
}

/** Runs the whole dialogue; each message is true and within its sender's limit. */
function reconcile(asking: Side, answering: Side): Initiator {
  const initiator = new Initiator(asking, limits);
  for (let message: Uint8Array | undefined = initiator.begin(); message;) {
    expect(message.length).toBeLessThanOrEqual(asking.frameBytesMax);
    expectTruth(asking, message);
    const answer = answerOf(answering, message);
    expectTruth(answering, answer);
    expect(answer.length).toBeLessThanOrEqual(answering.frameBytesMax);
    message = initiator.next(answer);
  }
  return initiator;
}

const names = (items: readonly Item[]) => items.map(({ id }) => encodeBase64Url(id)).sort();

/** Who holds an item: mostly both; sometimes a run of neighbours is missing on one side. */
const holders = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ who: fc.constant('both'), run: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 2, arbitrary: fc.record({ who: fc.constantFrom('asks', 'answers'), run: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ who: fc.constantFrom('asks', 'answers'), run: fc.integer({ min: 100, max: 600 }) }) },
  ),
  { maxLength: 60, size: 'max' },
);
const frame = fc.constantFrom(frameBytesMin, frameBytesMin + 1, 5_000, 60_000);

describe('two sides that compare their sets', () => {
  it('find every difference and nothing else, within their frame limits', () => {
    fc.assert(
      fc.property(holders, fc.constantFrom(1, 7, 1_000_000), frame, frame, fc.nat(9), (runs, seconds, askingMax, answeringMax, salt) => {
        const who = runs.flatMap(({ who, run }) => Array<string>(run).fill(who));
        const items = who.map((_, n) => ({ timestamp: 1_700_000_000 + (n % seconds), id: hashed(n * 10 + salt) }));
        const heldBy = (side: string) => items.filter((_, n) => who[n] === 'both' || who[n] === side);
        const only = (side: string) => items.filter((_, n) => who[n] === side);
        const { have, need } = reconcile(sideOf(heldBy('asks'), askingMax), sideOf(heldBy('answers'), answeringMax));
        expect([[...have].sort(), [...need].sort()]).toEqual([names(only('asks')), names(only('answers'))]);
      }),
      { numRuns: 60 },
    );
  });

  it('need one round where they are alike', () => {
    const side = sideOf(Array.from({ length: 5_000 }, (_, n) => ({ timestamp: n >> 2, id: hashed(n) })));
    expect(reconcile(side, side)).toMatchObject({ rounds: 1, have: new Set(), need: new Set() });
  });
});

const some = sideOf(
  Array.from({ length: 400 }, (_, n) => ({ timestamp: 10 + (n >> 3), id: hashed(n) })),
  frameBytesMin,
);
const codeOf = (act: () => unknown) => {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};
const bytes = (...parts: (number | readonly number[] | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => Buffer.from([part].flat() as number[] | Uint8Array[] as number[])));

describe('a hostile message', () => {
  const zero32 = new Uint8Array(32);
  it.each([
    ['nothing at all', bytes()],
    ['no version of the protocol', bytes(0x50)],
    ['a bound without its length', bytes(0x61, 0)],
    ['a bound without a mode', bytes(0x61, 0, 0)],
    ['a prefix longer than an id', bytes(0x61, 1, 33, new Uint8Array(33), 0)],
    ['a prefix that is not there', bytes(0x61, 1, 32, 1, 2, 3)],
    ['an unknown mode', bytes(0x61, 0, 0, 3)],
    ['half a fingerprint', bytes(0x61, 0, 0, 1, 1, 2, 3)],
    ['a list shorter than it says', bytes(0x61, 0, 0, 2, 2, zero32)],
    ['a list of 2^53 ids', bytes(0x61, 0, 0, 2, encodeVarint(Number.MAX_SAFE_INTEGER))],
    ['a range behind the end', bytes(0x61, 0, 0, 0, 0, 0, 0)],
    ['a range that ends before it begins', bytes(0x61, 5, 2, 7, 7, 0, 1, 2, 7, 6, 0)],
    ['a timestamp above 2^53 - 1', bytes(0x61, encodeVarint(Number.MAX_SAFE_INTEGER), 0, 0, 9, 0, 0)],
    ['a varint above 2^53 - 1', bytes(0x61, 0x90, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0, 0)],
    ['a varint without an end', bytes(0x61, new Uint8Array(30).fill(0xff))],
    ['a varint that begins with zero', bytes(0x61, 0x80, 0x01, 0, 0)],
  ])('with %s is refused by both sides', (_name, message) => {
    const initiator = new Initiator(some, limits);
    initiator.begin();
    expect([codeOf(() => answerOf(some, message)), codeOf(() => initiator.next(message))]).toEqual(Array(2).fill('reconcile.malformed'));
  });

  it('is refused for its end also where there is no room left to answer its beginning', () => {
    const writer = new MessageWriter();
    for (let second = 1; second <= 300; second++) writer.fingerprint(boundAt(second), new Uint8Array(16));
    const asked = Buffer.concat([writer.message(), bytes(0, 0, 9)]);
    expect(codeOf(() => answerOf(some, asked))).toBe('reconcile.malformed');
  });

  it('of any bytes is answered within the limit or refused, and nothing else', () => {
    const good = new Initiator(some, limits).begin();
    const mutated = fc.tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(good.length));
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((tail) => Buffer.concat([Buffer.from([0x61]), tail])),
      mutated.map(([changes, length]) => {
        const copy = Buffer.from(good);
        for (const [at, byte] of changes) copy[at] = byte;
        return copy.subarray(0, Math.max(1, length));
      }),
    );
    fc.assert(
      fc.property(message, (sent) => {
        let answer: Uint8Array | undefined;
        const code = codeOf(() => (answer = answerOf(some, sent)));
        if (code !== undefined) return void expect(code).toBe('reconcile.malformed');
        expect(answer!.length).toBeLessThanOrEqual(frameBytesMin);
        expect([...readRanges(answer!)].length).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1_500 },
    );
  });

  it('of another version is answered with the version we speak; as an answer it is refused', () => {
    expect([...answerOf(some, bytes(0x62, 1, 2, 3))]).toEqual([0x61]);
    expect(codeOf(() => new Initiator(some, limits).next(bytes(0x62)))).toBe('reconcile.version');
  });
});

describe('a side that does not come to an end', () => {
  const ask = (answer: (round: number) => Uint8Array, bounds: Partial<typeof limits>) => () => {
    const initiator = new Initiator(some, { ...limits, ...bounds });
    initiator.begin();
    for (let round = 0; round < 10_000; round++) if (!initiator.next(answer(round))) return 'ended';
    return 'endless';
  };
  const written = (write: (writer: MessageWriter) => void) => {
    const writer = new MessageWriter();
    write(writer);
    return writer.message();
  };

  it('by lying about every fingerprint is left after so many rounds', () => {
    const lie = (round: number) => written((writer) => writer.fingerprint(END, sha256(Buffer.from(String(round))).subarray(0, 16)));
    expect(codeOf(ask(lie, { roundsMax: 50 }))).toBe('reconcile.rounds');
  });

  it('by flooding with ids is left after so many ids, or so many bytes', () => {
    const flood = (round: number) =>
      written((writer) => {
        writer.ids(boundAt(1), Buffer.concat(Array.from({ length: 100 }, (_, n) => hashed(1_000_000 + round * 100 + n))));
        writer.fingerprint(END, new Uint8Array(16));
      });
    expect(codeOf(ask(flood, { differencesMax: 1_000 }))).toBe('reconcile.differences');
    expect(codeOf(ask(flood, { bytesMax: 10_000 }))).toBe('reconcile.bytes');
  });
});

describe('a varint', () => {
  it('is what it was, in as few bytes as it takes', () => {
    for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 32 - 1, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      const encoded = encodeVarint(value);
      expect(encoded.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)));
      expect(new MessageBytes(Uint8Array.from(encoded)).varint()).toBe(value);
    }
  });
});
