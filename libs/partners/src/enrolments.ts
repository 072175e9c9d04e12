import { type Clock, Refusal } from '#kernel';
import { applyEnrolment, askForRenewal, type CertificateRequest, findRepetition } from './certificate-request.js';
import { type EnrolmentForm, formBytes, verifyProofs } from './enrolment-form.js';
import { checkInvitation, inviteParticipant, type Invitation, type InvitationWish, supersede } from './invitation.js';
import type { ParticipantRegistry } from './participant-registry.js';
import type { Dossier, DossierChange, EnrolmentStore } from './store.js';

/** What needs a hash, chance, or an eye for PKCS#10. */
export interface EnrolmentClerk {
  /** SHA-256, base64url. */
  digest(data: string | Uint8Array): string;
  /** 256 unpredictable bits, base64url. */
  secret(): string;
  uuid(at: Date): string;
  /** Checks a CSR (proof of possession, strength, wishes) and answers the SHA-256 of its DER, base64url. Refuses `csr.*`. */
  digestCsr(pem: string, participant: string): Promise<string>;
}

export interface Asked {
  readonly request: CertificateRequest;
  /** The same was asked before: this is the first request. */
  readonly repeated: boolean;
}

/** How an organisation comes in by itself, and gets its next certificates. Nothing here can sign: see `IssueCertificates`. */
export class Enrolments {
  constructor(
    private readonly store: EnrolmentStore,
    private readonly registry: Pick<ParticipantRegistry, 'refresh'>,
    private readonly clerk: EnrolmentClerk,
    private readonly clock: Clock,
  ) {}

  /** A new invitation; it takes the place of one that is open. The secret is told here and never again. Refuses what `inviteParticipant` refuses. */
  async invite(wish: InvitationWish): Promise<{ readonly secret: string; readonly invitation: Invitation }> {
    const secret = this.clerk.secret();
    const at = this.clock.now();
    const invitation: Invitation = {
      digest: this.clerk.digest(secret),
      participant: wish.participant,
      invitedBy: wish.by,
      activate: wish.activate,
      createdAt: at,
      expiresAt: new Date(at.getTime() + wish.ttlMs),
    };
    await this.store.changeDossier(wish.participant, ({ participant, invitations }) => ({
      ...inviteParticipant(participant, wish, at),
      invitations: [...supersede(invitations, at), invitation],
    }));
    await this.registry.refresh();
    return { secret, invitation };
  }

  /**
   * Uses an invitation. The same form again gets the same request. Refuses 401 `invitation.invalid`, 409 `enrolment.conflict`, and what the
   * form's checks refuse (`csr.*`, `key.*`, `signature.*`); after a refusal the invitation is as good as before.
   */
  async enrol(secret: string, form: EnrolmentForm): Promise<Asked> {
    const digest = this.clerk.digest(secret);
    const { participant } = checkInvitation(await this.store.findInvitation(digest), this.clock.now());
    const csr = await this.clerk.digestCsr(form.csr, participant);
    await verifyProofs(form, { invitation: digest, csr });
    const inputDigest = this.clerk.digest(formBytes(form, csr));
    return this.ask(participant, this.newRequest(participant, form.csr, inputDigest, digest), (known, request, at) => {
      const invitation = checkInvitation(
        known.invitations.find((one) => one.digest === digest),
        at,
      );
      const invitations = known.invitations.map((one) => (one === invitation ? { ...one, usedAt: at } : one));
      return { ...applyEnrolment(known.participant!, request, form, at), invitations };
    });
  }

  /** The next certificate of a participant, asked for over the connection that it has. Refuses `csr.*` and what `askForRenewal` refuses. */
  async renew(participant: string, csr: string): Promise<Asked> {
    const inputDigest = await this.clerk.digestCsr(csr, participant);
    return this.ask(participant, this.newRequest(participant, csr, inputDigest, undefined), (known, request, at) =>
      askForRenewal(known.participant!, known.requests, request, at),
    );
  }

  /** What became of an enrolment, for whoever holds its invitation. Refuses 401 `invitation.invalid`, 404 `enrolment.unknown`. */
  async find(secret: string, id: string): Promise<CertificateRequest> {
    const digest = this.clerk.digest(secret);
    checkInvitation(await this.store.findInvitation(digest), this.clock.now());
    return await this.answer(known(await this.store.findRequest(id), (request) => request.invitation === digest));
  }

  /** What became of a participant's own request. Refuses 404 `enrolment.unknown`, for another's as for one that never was. */
  async findOwn(participant: string, id: string): Promise<CertificateRequest> {
    const isOwn = (request: CertificateRequest) => request.participant === participant && request.invitation === undefined;
    return await this.answer(known(await this.store.findRequest(id), isOwn));
  }

  /** Whoever is given a certificate uses it at once: this process lets it in from then on. */
  private async answer(request: CertificateRequest): Promise<CertificateRequest> {
    if (request.state === 'ISSUED') await this.registry.refresh();
    return request;
  }

  private newRequest(participant: string, csr: string, inputDigest: string, invitation: string | undefined): CertificateRequest {
    const at = this.clock.now();
    const by = invitation === undefined ? {} : { invitation };
    return { id: this.clerk.uuid(at), participant, csr, inputDigest, state: 'REQUESTED', requestedAt: at, ...by };
  }

  private async ask(
    participant: string,
    wanted: CertificateRequest,
    rule: (known: Dossier, request: CertificateRequest, at: Date) => DossierChange,
  ): Promise<Asked> {
    const at = wanted.requestedAt;
    let first: CertificateRequest | undefined;
    await this.store.changeDossier(participant, (dossier) => {
      first = findRepetition(dossier.requests, wanted.inputDigest, wanted.invitation, at);
      return first ? undefined : { ...rule(dossier, wanted, at), requests: [...dossier.requests, wanted] };
    });
    return first ? { request: first, repeated: true } : { request: wanted, repeated: false };
  }
}

function known(found: CertificateRequest | undefined, mine: (request: CertificateRequest) => boolean): CertificateRequest {
  if (found && mine(found)) return found;
  throw new Refusal('not_found', 'enrolment.unknown', 'you made no request of this id');
}
