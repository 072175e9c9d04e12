import { Batcher, type Fact, type Facts, type ShardedId, shardOf } from '#kernel';

/** Something that a service or an operator looked at. With `subject` the fact stands among the subject's: who saw it is one indexed read. */
export interface SubjectView {
  /** The service, or `operator`. */
  readonly by: string;
  /** What was told, such as `standing` or `consents.list`; never a value. */
  readonly what: string;
  readonly subject?: ShardedId | undefined;
}

/** A read of personal data is a fact (CONTRACT.md §9). */
function subjectViewed({ by, what, subject }: SubjectView): Fact {
  const body = { by, what };
  if (!subject) return { shard: shardOf(by), kind: 'subject.viewed', body };
  return { shard: subject.shard, kind: 'subject.viewed', subject: subject.uuid, body };
}

/** Views that come at the same time share a commit. */
const LIMITS = { itemsMax: 256, inFlightMax: 2, queueItemsMax: 5_000, waitMsMax: 2_000 };

/** Notes who looked at what: before the answer leaves, so that a read which cannot be told does not happen. */
export class SubjectViews {
  private readonly batcher: Batcher<SubjectView, true>;

  constructor(append: (facts: Facts) => Promise<unknown>) {
    const send = async (views: readonly SubjectView[]) => {
      await append(views.map(subjectViewed) as unknown as Facts);
      return views.map(() => true as const);
    };
    this.batcher = new Batcher({ send, lookUp: (views) => Promise.resolve(views.map(() => undefined)) }, LIMITS);
  }

  /** Refuses 503 `overloaded` and `outcome.unknown`. */
  async note(view: SubjectView): Promise<void> {
    await this.batcher.submit(view);
  }
}
