import { invariant, Refusal } from '#kernel';
import type { PrismaService } from '#platform/adapters/prisma.module';
import type { Participant } from '../participant.js';
import type { ParticipantRule, ParticipantStore } from '../store.js';
import { findParticipant, lockParticipant, saveChange, type TellParticipants, toParticipant, WHOLE } from './participant-rows.js';

/** The registry in PostgreSQL through Prisma: comfortable, and never on a hot path (gateways read their memory). */
export class PrismaParticipantStore implements ParticipantStore {
  constructor(
    private readonly prisma: PrismaService,
    private readonly tell: TellParticipants,
  ) {}

  async revision(): Promise<string> {
    const { _count, _sum } = await this.prisma.participantRow.aggregate({ _count: true, _sum: { version: true } });
    return `${_count}:${_sum.version ?? 0n}`;
  }

  async loadAll(): Promise<readonly Participant[]> {
    return (await this.prisma.participantRow.findMany({ include: WHOLE, orderBy: { id: 'asc' } })).map(toParticipant);
  }

  async change(id: string, rule: ParticipantRule): Promise<Participant> {
    const work = this.prisma.$transaction(async (prisma) => {
      await lockParticipant(prisma, id);
      const known = await findParticipant(prisma, id);
      const change = rule(known);
      if (change) await saveChange(prisma, known, change, this.tell);
      const participant = change?.next ?? known;
      invariant(participant, 'a rule that changes nothing is about a known participant');
      return participant;
    });
    return work.catch((error: unknown) => {
      throw asRefusal(error);
    });
  }
}

/** Another participant holds this certificate already. */
export function asRefusal(error: unknown): unknown {
  const { code, meta } = error as { code?: string; meta?: { modelName?: string } };
  if (code !== 'P2002' || meta?.modelName !== 'ParticipantCertificateRow') return error;
  return new Refusal('conflict', 'certificate.registered', 'this certificate is registered already');
}
