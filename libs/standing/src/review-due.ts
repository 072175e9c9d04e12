import type { Clock, Facts } from '#kernel';
import type { RecordInForce } from '#records';
import { SCORECARD_2026_1 } from '#scoring';
import { movedItThemselves } from './contributions.js';
import type { Happening } from './event.js';
import type { Clerk } from './notary.js';
import { factsOf, judge, type Judgement, type Occasion, placeChange } from './save-change.js';
import type { DueSubject, Exchange, HeldSubject } from './store.js';
import { nameOf } from './together/names.js';
import { placesOf, type TogetherBooks, type TogetherExchange } from './together/together-books.js';

const subjectsPerRunMax = 2_000;
/** One transaction's worth. */
const subjectsAtOnce = 32;

/**
 * Judges anew the standings that a batch of records or time alone has changed: new lines are in force, a record's validity or a restriction's term
 * is over. A sweep calls it.
 */
export class ReviewDue {
  constructor(
    private readonly exchange: Exchange & TogetherExchange,
    private readonly clerk: Clerk,
    private readonly clock: Clock,
  ) {}

  /** Answers how many were due; call it again at once when it is `subjectsPerRunMax`. Throws when all others are done, where one cannot be judged. */
  async run(): Promise<number> {
    const due = await this.exchange.due(this.clock.now(), subjectsPerRunMax);
    const failures: unknown[] = [];
    for (let at = 0; at < due.length; at += subjectsAtOnce) failures.push(...(await this.reviewMany(due.slice(at, at + subjectsAtOnce))));
    if (failures.length > 0) throw failures[0];
    return due.length;
  }

  /** One that cannot be judged stops nobody but itself; answers why those could not. */
  private async reviewMany(subjects: readonly DueSubject[]): Promise<unknown[]> {
    try {
      await this.exchange.together((books) => this.review(books, subjects));
      return [];
    } catch (error) {
      if (subjects.length === 1) return [error];
      const failures: unknown[] = [];
      for (const subject of subjects) failures.push(...(await this.reviewMany([subject])));
      return failures;
    }
  }

  private async review(books: TogetherBooks, subjects: readonly DueSubject[]): Promise<void> {
    const at = this.clock.now();
    const { held, marked } = await books.holdDue(subjects);
    const due = held.filter((one) => marked.has(one.subject.id.uuid) || isDue(one, at));
    if (due.length === 0) return;
    const unjudged = await books.sinceVersion(due.map(({ subject }) => subject.id));
    const reviews = due.map((one) => this.judge(one, unjudged, at));
    const facts = reviews.map(({ reviewed, judgement }) => factsOf(reviewed, judgement));
    const positions = await books.facts.append(facts.flat() as unknown as Facts);
    const places = placesOf(
      facts.map(({ length }) => length),
      positions,
    );
    const savings = reviews.map(({ reviewed, judgement, occasion }, i) =>
      placeChange(reviewed, judgement, places[i]!, occasion, this.clerk),
    );
    await books.saveJudged(savings, []);
  }

  private judge({ subject, standing, inForce, links, ladder }: HeldSubject, unjudged: ReadonlySet<string>, at: Date): Review {
    const isNew = (record: RecordInForce) => unjudged.has(nameOf(record));
    const untold = movedItThemselves(standing, { records: inForce, links, isNew }, SCORECARD_2026_1, at);
    const body = { version: standing.version.toString() };
    const fact = { shard: subject.id.shard, kind: 'standing.reviewed', subject: subject.id.uuid, body };
    const occasion: Occasion = { at, why: 'ENDED', ladder, untold };
    return { reviewed: { fact, notices: [] }, occasion, judgement: judge(standing, { records: inForce, links }, occasion, this.clerk) };
  }
}

interface Review {
  readonly reviewed: Happening;
  readonly occasion: Occasion;
  readonly judgement: Judgement;
}

/** Another process may have been here between the question and the hold. */
function isDue({ standing: { nextChangeAt } }: HeldSubject, at: Date): boolean {
  return nextChangeAt !== undefined && nextChangeAt <= at;
}
