import type { CreditRecord } from '#contract';
import { createEd25519Signer } from '#evidence';
import { ManualClock, Refusal, type ShardedId } from '#kernel';
import { recordHead, verified } from '#records/testing/records';
import { AcceptRecord } from '../accept-record.js';
import { createNotary } from '../adapters/node-notary.js';
import { PollEvents } from '../poll-events.js';
import { ReviewDue } from '../review-due.js';
import type { StandingReader } from '../standing.js';
import type { EventQueue, Exchange } from '../store.js';
import { Subjects } from '../subjects.js';
import type { TogetherExchange } from '../together/together-books.js';

export const startAt = new Date('2026-11-21T08:00:00.000Z');
/** RFC 8032, test 2: a key that everybody knows. */
export const receiptSigner = createEd25519Signer({
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs',
  x: 'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw',
  kid: 'receipt-1',
});

/** What the exchange's flows stand on, in memory or in PostgreSQL. */
export interface Ground {
  readonly exchange: Exchange & TogetherExchange;
  readonly queue: EventQueue;
  readonly reader: StandingReader;
  factKinds(): Promise<string[]>;
}

export interface HeardEvent {
  readonly id: string;
  readonly kind: string;
  readonly ref: string;
  readonly body: Readonly<Record<string, unknown>>;
}

type Body<R = CreditRecord> = R extends CreditRecord ? Omit<R, 'iss' | 'sub' | 'jti' | 'seq' | 'iat' | 'asOf' | 'validUntil'> : never;

/** Subjects, banks that send numbered records about them and poll, and a clock that stands still. */
export class ExchangeWorld {
  readonly clock = new ManualClock(startAt);
  readonly subjects: Subjects;
  readonly accept: AcceptRecord;
  readonly review: ReviewDue;
  readonly poll: PollEvents;
  private lastKey = 0;

  constructor(readonly ground: Ground) {
    const notary = createNotary('https://gateway.test', () => receiptSigner);
    this.subjects = new Subjects(ground.exchange, notary, this.clock);
    this.accept = new AcceptRecord(ground.exchange, notary, this.clock);
    this.review = new ReviewDue(ground.exchange, notary, this.clock);
    this.poll = new PollEvents(ground.queue, notary, this.clock, async (ms) => this.clock.advance(ms));
  }

  async subject(): Promise<ShardedId> {
    return (await this.subjects.register({ caller: 'checkout', key: `key-${++this.lastKey}`, kind: 'INDIVIDUAL' })).id;
  }

  async link(subject: ShardedId, participant: string): Promise<ShardedId> {
    return (await this.subjects.link(subject, { participant })).link.ref;
  }

  /** Record number n of a bank. */
  record(bank: string, ref: ShardedId, n: number, body: Body): CreditRecord {
    return { ...recordHead(bank, ref, n, this.clock.now()), ...body } as CreditRecord;
  }

  async send(record: CreditRecord, caller = record.iss) {
    return this.accept.run(caller, await verified(record));
  }

  /** `new`, `repeated` or the code of the refusal. */
  async outcome(record: CreditRecord, caller?: string): Promise<string> {
    try {
      return (await this.send(record, caller)).repeated ? 'repeated' : 'new';
    } catch (error) {
      if (error instanceof Refusal) return error.code;
      throw error;
    }
  }

  /** Takes and acknowledges everything that waits for a bank. */
  async hear(bank: string): Promise<HeardEvent[]> {
    const { sets } = await this.poll.run(bank, { maxEvents: 100, returnImmediately: true, ack: [], setErrs: {} });
    await this.poll.run(bank, { maxEvents: 0, returnImmediately: true, ack: Object.keys(sets), setErrs: {} });
    return Object.entries(sets).map(([id, token]) => ({ id, ...readToken(token) }));
  }

  async standing(subject: ShardedId) {
    return (await this.ground.reader.load([subject]))[0]!;
  }
}

export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
}

function readToken(token: string): Omit<HeardEvent, 'id'> {
  const claims = claimsOf(token) as { sub_id: { id: string }; events: Record<string, Record<string, unknown>> };
  const [uri, body] = Object.entries(claims.events)[0]!;
  return { kind: uri.split(':').at(-1)!, ref: claims.sub_id.id, body };
}
