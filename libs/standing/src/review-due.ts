import { type Clock, invariant, type ShardedId } from '#kernel';
import type { Clerk } from './notary.js';
import { judge, type Occasion, saveChange } from './save-change.js';
import type { Books, Exchange } from './store.js';

export const subjectsPerRunMax = 200;

/** Judges anew the standings that time alone has changed: a record's validity or a restriction's term is over. A sweep calls it. */
export class ReviewDue {
  constructor(
    private readonly exchange: Exchange,
    private readonly clerk: Clerk,
    private readonly clock: Clock,
  ) {}

  /** Answers how many were reviewed; call it again at once when it is `subjectsPerRunMax`. */
  async run(): Promise<number> {
    const due = await this.exchange.due(this.clock.now(), subjectsPerRunMax);
    for (const subject of due) await this.exchange.transaction((books) => this.review(books, subject));
    return due.length;
  }

  private async review(books: Books, subject: ShardedId): Promise<void> {
    const at = this.clock.now();
    const held = await books.hold(subject);
    invariant(held, 'what is due exists');
    const { standing, inForce, links, ladder } = held;
    // Another process may have been here between the question and the hold.
    if (!standing.nextChangeAt || standing.nextChangeAt > at) return;
    const body = { version: standing.version.toString() };
    const reviewed = { fact: { shard: subject.shard, kind: 'standing.reviewed', subject: subject.uuid, body }, notices: [] };
    const occasion: Occasion = { at, why: 'ENDED', ladder };
    const judgement = judge(standing, { records: inForce, links }, occasion, this.clerk);
    await saveChange(books, reviewed, judgement, occasion, this.clerk);
    await books.records.dropExpired(subject, judgement.change.next.updatedAt);
  }
}
