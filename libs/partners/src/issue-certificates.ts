import { type Clock, eachAlone, Refusal } from '#kernel';
import { acceptIssued, type CertificateRequest, type IssuedChain, refuseRequest } from './certificate-request.js';
import type { Dossier, DossierChange, EnrolmentStore } from './store.js';

/** Whoever holds the issuing key. Refuses `csr.*` what it will not certify. */
export interface Issuer {
  issue(request: CertificateRequest, at: Date): Promise<IssuedChain>;
}

const perRunMax = 100;

/** Decides what waits for a certificate. Runs where the issuing key is, never in the gateway. */
export class IssueCertificates {
  constructor(
    private readonly store: EnrolmentStore,
    private readonly issuer: Issuer,
    private readonly clock: Clock,
  ) {}

  /** How many it decided. What fails for another reason than a refusal waits for the next run, and holds back nobody else. */
  async run(): Promise<number> {
    const waiting = await this.store.outstanding(perRunMax);
    await eachAlone(waiting, (request) => this.decide(request));
    return waiting.length;
  }

  /** Two issuers may sign one request; the first to save it decides, and the other's certificate is handed to nobody. */
  private async decide(request: CertificateRequest): Promise<void> {
    const at = this.clock.now();
    const answer = await this.issuer.issue(request, at).catch((error: unknown) => {
      if (error instanceof Refusal) return error;
      throw error;
    });
    await this.store.changeDossier(request.participant, (dossier) => settle(dossier, request.id, answer, at));
  }
}

function settle(
  { participant, requests, invitations }: Dossier,
  id: string,
  answer: IssuedChain | Refusal,
  at: Date,
): DossierChange | undefined {
  const request = requests.find((one) => one.id === id);
  if (!participant || request?.state !== 'REQUESTED') return undefined;
  const replaced = (decided: CertificateRequest) => requests.map((one) => (one === request ? decided : one));
  if (participant.state === 'CLOSED' || answer instanceof Refusal) {
    const { code, detail } = answer instanceof Refusal ? answer : { code: 'participant.closed', detail: 'your participation has ended' };
    const decided = { ...request, state: 'REFUSED' as const, decidedAt: at, refused: { code, detail } };
    return { ...refuseRequest(participant, request, code, at), requests: replaced(decided) };
  }
  const decided = { ...request, state: 'ISSUED' as const, decidedAt: at, certificate: answer.chain };
  const invitation = invitations.find(({ digest }) => digest === request.invitation);
  return { ...acceptIssued(participant, answer.certificate, invitation, at), requests: replaced(decided) };
}
