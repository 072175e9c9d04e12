import type { VerificationKey } from '#evidence';
import { type Clock, Refusal } from '#kernel';
import type { Participant } from './participant.js';
import { heardByAllMs } from './pass-time.js';
import { type PresentedCertificate, RegistryView } from './registry-view.js';
import type { ParticipantStore } from './store.js';

/** Beyond this age the view may miss a revocation: nobody is let in on it (CONTRACT.md §1 promises 10 s). */
const viewAgeMsMax = heardByAllMs;
/** Every process looks this often whether the registry changed. */
export const viewRefreshMs = 1_000;

/** Who may talk to us, from memory. Every question refuses 503 `registry.stale` when PostgreSQL has not confirmed the view for 10 s. */
export class ParticipantRegistry {
  private view = new RegistryView([]);
  private revision: string | undefined;
  private confirmedAtMs = Number.NEGATIVE_INFINITY;
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly store: ParticipantStore,
    private readonly clock: Clock,
  ) {}

  /** Confirms the view, or loads it anew where something changed. */
  async refresh(): Promise<void> {
    // Taken before the question: what changes while we read is not yet seen.
    const askedAtMs = this.clock.now().getTime();
    const revision = await this.store.revision();
    const moved = revision !== this.revision;
    if (moved) this.view = new RegistryView(await this.store.loadAll());
    this.revision = revision;
    this.confirmedAtMs = askedAtMs;
    if (moved) for (const listener of this.listeners) listener();
  }

  /** Called after each refresh that found a change. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  find(id: string): Participant | undefined {
    return this.fresh().find(id);
  }

  /** Refuses `participant.unknown` (404). */
  get(id: string): Participant {
    const participant = this.find(id);
    if (!participant) throw new Refusal('not_found', 'participant.unknown', `there is no participant ${id}`);
    return participant;
  }

  list(): readonly Participant[] {
    return this.fresh().participants;
  }

  /** The participants as last seen, however old that is: for metrics, never to let anybody in. */
  listAsSeen(): readonly Participant[] {
    return this.view.participants;
  }

  /** The participant as last seen: for how we speak to it, never for whether we let it in. */
  findAsSeen(id: string): Participant | undefined {
    return this.view.find(id);
  }

  /** For `verifyJws`: the key whatever its state, so that the answer can say that it was retired. */
  findKey(id: string, kid: string): VerificationKey | undefined {
    return this.fresh().findKey(id, kid, this.clock.now());
  }

  /** See `RegistryView.identify`. */
  findByCertificate(presented: PresentedCertificate): Participant {
    return this.fresh().identify(presented, this.clock.now());
  }

  private fresh(): RegistryView {
    if (this.clock.now().getTime() - this.confirmedAtMs <= viewAgeMsMax) return this.view;
    throw new Refusal('unavailable', 'registry.stale', 'the participant registry cannot be confirmed now', { retryAfterSeconds: 2 });
  }
}
