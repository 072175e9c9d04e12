import type { Fact } from '#kernel';
import type { Participant } from '../participant.js';
import type { ParticipantRule, ParticipantStore } from '../store.js';

/** A store in memory that keeps the facts it was given. */
export class MemoryParticipantStore implements ParticipantStore {
  readonly facts: Fact[] = [];
  private readonly saved = new Map<string, Participant>();
  private queue: Promise<unknown> = Promise.resolve();

  revision(): Promise<string> {
    return Promise.resolve([...this.saved.values()].map(({ id, version }) => `${id}:${version}`).join());
  }

  loadAll(): Promise<readonly Participant[]> {
    return Promise.resolve([...this.saved.values()]);
  }

  change(id: string, rule: ParticipantRule): Promise<Participant> {
    const work = this.queue.then(() => {
      const { next, facts } = rule(this.saved.get(id));
      this.saved.set(id, next);
      this.facts.push(...facts);
      return next;
    });
    this.queue = work.catch(() => undefined);
    return work;
  }
}
