import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeBase64Url, Initiator, packItem, respond, SetTree } from '#evidence';

/** Dialogues of the reference implementation (github.com/hoytech/negentropy, js/) with itself, message by message, without a frame limit. */
interface Dialogue {
  readonly name: string;
  readonly count: number;
  readonly spread: number;
  readonly onlyAsks: readonly number[];
  readonly onlyAnswers: readonly number[];
  /** Base 64; the side that asks begins. */
  readonly messages: readonly string[];
}

const DIALOGUES = JSON.parse(readFileSync(new URL('reference-dialogues.json', import.meta.url), 'utf8')) as Dialogue[];

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const idOf = (n: number) => sha256(Buffer.from(`item-${n}`));
const limits = { roundsMax: 100, bytesMax: 1_000_000, differencesMax: 1_000 };

/** Item n has the id SHA-256("item-<n>") and one of `spread` seconds. */
function sideOf({ count, spread }: Dialogue, missing: readonly number[]) {
  const held = Array.from({ length: count }, (_, n) => n).filter((n) => !missing.includes(n));
  const items = SetTree.empty.with(Buffer.concat(held.map((n) => packItem(1_700_000_000 + (n % spread), idOf(n), n))));
  return { items, sha256, frameBytesMax: 1_000_000 };
}

function answerTo(side: Parameters<typeof respond>[0], message: Uint8Array): Uint8Array {
  const steps = respond(side, message);
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

describe('Negentropy v1, as the reference speaks it', () => {
  it.each(DIALOGUES)('$name', (dialogue) => {
    const asking = new Initiator(sideOf(dialogue, dialogue.onlyAnswers), limits);
    const answering = sideOf(dialogue, dialogue.onlyAsks);
    const said: string[] = [];
    for (let message: Uint8Array | undefined = asking.begin(); message;) {
      const answer = answerTo(answering, message);
      said.push(Buffer.from(message).toString('base64'), Buffer.from(answer).toString('base64'));
      message = asking.next(answer);
    }
    expect(said).toEqual(dialogue.messages);
    const names = (numbers: readonly number[]) => numbers.map((n) => encodeBase64Url(idOf(n))).sort();
    expect([[...asking.have].sort(), [...asking.need].sort()]).toEqual([names(dialogue.onlyAsks), names(dialogue.onlyAnswers)]);
  });
});
