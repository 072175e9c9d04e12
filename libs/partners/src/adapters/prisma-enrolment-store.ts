import type { PrismaService } from '#platform/adapters/prisma.module';
import type { CertificateRequest } from '../certificate-request.js';
import type { Invitation } from '../invitation.js';
import type { DossierRule, EnrolmentStore } from '../store.js';
import { findParticipant, lockParticipant, type PrismaTx, saveChange, type TellParticipants } from './participant-rows.js';
import { asRefusal } from './prisma-participant-store.js';

type InvitationRow = NonNullable<Awaited<ReturnType<PrismaTx['participantInvitationRow']['findUnique']>>>;
type RequestRow = NonNullable<Awaited<ReturnType<PrismaTx['certificateRequestRow']['findUnique']>>>;
type Rows<T> = readonly T[] | undefined;

/** Invitations and certificate requests in PostgreSQL, changed under the participant's lock and in one transaction with it. */
export class PrismaEnrolmentStore implements EnrolmentStore {
  constructor(
    private readonly prisma: PrismaService,
    private readonly tell: TellParticipants,
  ) {}

  async findInvitation(digest: string): Promise<Invitation | undefined> {
    const row = await this.prisma.participantInvitationRow.findUnique({ where: { digest } });
    return row ? toInvitation(row) : undefined;
  }

  async findRequest(id: string): Promise<CertificateRequest | undefined> {
    const row = await this.prisma.certificateRequestRow.findUnique({ where: { id } });
    return row ? toRequest(row) : undefined;
  }

  async outstanding(countMax: number): Promise<CertificateRequest[]> {
    const where = { state: 'REQUESTED' };
    const rows = await this.prisma.certificateRequestRow.findMany({ where, orderBy: { requestedAt: 'asc' }, take: countMax });
    return rows.map(toRequest);
  }

  async changeDossier(id: string, rule: DossierRule): Promise<void> {
    const work = this.prisma.$transaction(async (prisma) => {
      await lockParticipant(prisma, id);
      const participant = await findParticipant(prisma, id);
      const where = { participantId: id };
      const invitations = (await prisma.participantInvitationRow.findMany({ where, orderBy: { createdAt: 'asc' } })).map(toInvitation);
      const requests = (await prisma.certificateRequestRow.findMany({ where, orderBy: { requestedAt: 'asc' } })).map(toRequest);
      const change = rule({ participant, invitations, requests });
      if (!change) return;
      await saveChange(prisma, participant, change, this.tell);
      await saveInvitations(prisma, invitations, change.invitations);
      await saveRequests(prisma, requests, change.requests);
    });
    await work.catch((error: unknown) => {
      throw asRefusal(error);
    });
  }
}

async function saveInvitations(prisma: PrismaTx, known: readonly Invitation[], next: Rows<Invitation>): Promise<void> {
  for (const { participant, usedAt, withdrawnAt, ...invitation } of (next ?? []).filter((one) => !known.includes(one))) {
    const mark = { usedAt: usedAt ?? null, withdrawnAt: withdrawnAt ?? null };
    const { digest } = invitation;
    if (known.some((one) => one.digest === digest)) await prisma.participantInvitationRow.update({ where: { digest }, data: mark });
    else await prisma.participantInvitationRow.create({ data: { participantId: participant, ...invitation, ...mark } });
  }
}

async function saveRequests(prisma: PrismaTx, known: readonly CertificateRequest[], next: Rows<CertificateRequest>): Promise<void> {
  for (const request of (next ?? []).filter((one) => !known.includes(one))) {
    const { id, participant, invitation, csr, inputDigest, state, requestedAt, decidedAt, certificate, refused } = request;
    const decision = {
      state,
      decidedAt: decidedAt ?? null,
      certificate: certificate ?? null,
      refusedCode: refused?.code ?? null,
      refusedDetail: refused?.detail ?? null,
    };
    const asked = { id, participantId: participant, invitation: invitation ?? null, csr, inputDigest, requestedAt };
    if (known.some((one) => one.id === id)) await prisma.certificateRequestRow.update({ where: { id }, data: decision });
    else await prisma.certificateRequestRow.create({ data: { ...asked, ...decision } });
  }
}

function toInvitation({ participantId, usedAt, withdrawnAt, ...row }: InvitationRow): Invitation {
  return { ...row, participant: participantId, ...(usedAt ? { usedAt } : {}), ...(withdrawnAt ? { withdrawnAt } : {}) };
}

function toRequest(row: RequestRow): CertificateRequest {
  const { id, csr, inputDigest, requestedAt, invitation, decidedAt, certificate, refusedCode, refusedDetail } = row;
  return {
    id,
    participant: row.participantId,
    csr,
    inputDigest,
    requestedAt,
    state: row.state as CertificateRequest['state'],
    ...(invitation === null ? {} : { invitation }),
    ...(decidedAt ? { decidedAt } : {}),
    ...(certificate === null ? {} : { certificate }),
    ...(refusedCode === null ? {} : { refused: { code: refusedCode, detail: refusedDetail ?? '' } }),
  };
}
