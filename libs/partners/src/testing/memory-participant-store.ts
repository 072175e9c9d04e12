import type { Fact } from '#kernel';
import type { CertificateRequest } from '../certificate-request.js';
import type { Invitation } from '../invitation.js';
import type { Participant, ParticipantNotice } from '../participant.js';
import type { Dossier, DossierRule, EnrolmentStore, ParticipantRule, ParticipantStore } from '../store.js';

/** A store in memory that keeps the facts and notices it was given. */
export class MemoryParticipantStore implements ParticipantStore, EnrolmentStore {
  readonly facts: Fact[] = [];
  readonly notices: ParticipantNotice[] = [];
  private readonly dossiers = new Map<string, Dossier>();
  private queue: Promise<unknown> = Promise.resolve();

  revision(): Promise<string> {
    return Promise.resolve(this.participants.map(({ id, version }) => `${id}:${version}`).join());
  }

  loadAll(): Promise<readonly Participant[]> {
    return Promise.resolve(this.participants);
  }

  async change(id: string, rule: ParticipantRule): Promise<Participant> {
    await this.changeDossier(id, ({ participant }) => rule(participant));
    return this.dossiers.get(id)!.participant!;
  }

  findInvitation(digest: string): Promise<Invitation | undefined> {
    return Promise.resolve([...this.dossiers.values()].flatMap(({ invitations }) => invitations).find((one) => one.digest === digest));
  }

  findRequest(id: string): Promise<CertificateRequest | undefined> {
    return Promise.resolve(this.requests.find((one) => one.id === id));
  }

  outstanding(countMax: number): Promise<CertificateRequest[]> {
    return Promise.resolve(this.requests.filter(({ state }) => state === 'REQUESTED').slice(0, countMax));
  }

  changeDossier(id: string, rule: DossierRule): Promise<void> {
    const work = this.queue.then(() => {
      const known = this.dossiers.get(id) ?? { participant: undefined, invitations: [], requests: [] };
      const change = rule(known);
      if (!change) return;
      const { next, facts, notices = [], invitations = known.invitations, requests = known.requests } = change;
      this.dossiers.set(id, { participant: next, invitations, requests });
      this.facts.push(...facts);
      this.notices.push(...notices);
    });
    this.queue = work.catch(() => undefined);
    return work;
  }

  private get participants(): Participant[] {
    return [...this.dossiers.values()].flatMap(({ participant }) => participant ?? []);
  }

  private get requests(): CertificateRequest[] {
    return [...this.dossiers.values()].flatMap(({ requests }) => requests);
  }
}
