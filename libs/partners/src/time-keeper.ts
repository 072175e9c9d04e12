import { type Clock, eachAlone } from '#kernel';
import type { Participant } from './participant.js';
import type { ParticipantRegistry } from './participant-registry.js';
import { passTime } from './pass-time.js';
import type { ParticipantStore } from './store.js';

/** Writes down what time does to participants. Several may run at once: each change is judged again under the participant's lock. */
export class TimeKeeper {
  constructor(
    private readonly store: ParticipantStore,
    private readonly registry: Pick<ParticipantRegistry, 'list' | 'refresh'>,
    private readonly clock: Clock,
  ) {}

  /** How many participants something was due for. */
  async run(): Promise<number> {
    const at = this.clock.now();
    const due = this.registry.list().filter((participant) => passTime(participant, at) !== undefined);
    if (due.length === 0) return 0;
    const change = ({ id }: Participant) => this.store.change(id, (known) => known && passTime(known, at));
    await eachAlone(due, change).finally(() => this.registry.refresh());
    return due.length;
  }
}
