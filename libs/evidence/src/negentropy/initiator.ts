import { Refusal } from '#kernel';
import { encodeBase64Url } from '../jose/base64url.js';
import { END } from './bound.js';
import { Frame } from './frame.js';
import { PROTOCOL_VERSION, versionOf } from './message.js';
import { answerRanges, type Side } from './respond.js';
import { idBytes } from './sum256.js';

/** How much a side that asks puts up with. An honest other side stays far below all of it. */
export interface AskingLimits {
  readonly roundsMax: number;
  /** Of all messages, both ways. */
  readonly bytesMax: number;
  /** Of ids that only one side has. */
  readonly differencesMax: number;
}

/**
 * The side that asks, and learns the differences. `have` are ids that only we hold, `need` those that only the other side holds, base64url.
 * What the other side says is never believed: a side that lies is found out by the roots of what both sign in the end.
 */
export class Initiator {
  readonly have = new Set<string>();
  readonly need = new Set<string>();
  rounds = 0;
  bytes = 0;

  constructor(
    private readonly side: Side,
    private readonly limits: AskingLimits,
  ) {}

  /** The first message. */
  begin(): Uint8Array {
    const frame = this.newFrame();
    frame.parts(0, this.side.items.size, END);
    return this.send(frame.message());
  }

  /**
   * Takes an answer; gives the next message, or undefined when all is known. Refuses `reconcile.malformed`, `reconcile.version`, and an other
   * side that does not come to an end: `reconcile.rounds`, `reconcile.bytes`, `reconcile.differences`.
   */
  next(answer: Uint8Array): Uint8Array | undefined {
    this.take(answer);
    const frame = this.newFrame();
    const steps = answerRanges(this.side, answer, frame, (ids, from, to, upper) => {
      this.compare(ids, from, to);
      frame.alike(upper);
      return true;
    });
    while (!steps.next().done);
    return frame.isEmpty ? undefined : this.send(frame.message());
  }

  private take(answer: Uint8Array): void {
    this.rounds += 1;
    this.bytes += answer.length;
    const { roundsMax, bytesMax } = this.limits;
    if (versionOf(answer) !== PROTOCOL_VERSION) {
      throw new Refusal('unprocessable', 'reconcile.version', 'the other side speaks another version of the protocol');
    }
    if (this.rounds > roundsMax) throw endless('reconcile.rounds', `roundsMax=${roundsMax}`);
    if (this.bytes > bytesMax) throw endless('reconcile.bytes', `bytesMax=${bytesMax}`);
  }

  private compare(ids: Uint8Array, from: number, to: number): void {
    const theirs = new Set(keysOf(ids));
    for (const key of keysOf(this.side.items.ids(from, to))) {
      if (!theirs.delete(key)) this.have.add(key);
    }
    for (const key of theirs) this.need.add(key);
    const { differencesMax } = this.limits;
    if (this.have.size + this.need.size > differencesMax) throw endless('reconcile.differences', `differencesMax=${differencesMax}`);
  }

  private send(message: Uint8Array): Uint8Array {
    this.bytes += message.length;
    return message;
  }

  private newFrame(): Frame {
    return new Frame(this.side.items, this.side.sha256, this.side.frameBytesMax);
  }
}

function* keysOf(ids: Uint8Array): Generator<string> {
  for (let at = 0; at < ids.length; at += idBytes) yield encodeBase64Url(ids.subarray(at, at + idBytes));
}

function endless(code: string, limit: string): Refusal {
  return new Refusal('unprocessable', code, 'the other side does not come to an end', { limit });
}
