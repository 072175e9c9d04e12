import type { JsonWebKey, SignatureAlgorithm, VerificationKeyState } from '#evidence';
import { Refusal } from '#kernel';
import { appendFacts, type Tx } from '#platform';
import type { PrismaService } from '#platform/adapters/prisma.module';
import type { Participant, ParticipantCertificate, ParticipantKey, ParticipantState } from '../participant.js';
import type { ParticipantRule, ParticipantStore } from '../store.js';

type PrismaTx = Parameters<Parameters<PrismaService['$transaction']>[0]>[0];
/** Oldest first, so that what is loaded twice is equal twice. */
const ORDER = {
  authorities: { issuer: 'asc' as const },
  certificates: [{ notBefore: 'asc' as const }, { x5t: 'asc' as const }],
  keys: [{ addedAt: 'asc' as const }, { kid: 'asc' as const }],
};
const WHOLE = {
  authorities: { orderBy: ORDER.authorities },
  certificates: { orderBy: ORDER.certificates },
  keys: { orderBy: ORDER.keys },
};
type Certificates = readonly ParticipantCertificate[];
type Row = NonNullable<Awaited<ReturnType<typeof findRow>>>;

/** The registry in PostgreSQL through Prisma: comfortable, and never on a hot path (gateways read their memory). */
export class PrismaParticipantStore implements ParticipantStore {
  constructor(private readonly prisma: PrismaService) {}

  async revision(): Promise<string> {
    const { _count, _sum } = await this.prisma.participantRow.aggregate({ _count: true, _sum: { version: true } });
    return `${_count}:${_sum.version ?? 0n}`;
  }

  async loadAll(): Promise<readonly Participant[]> {
    return (await this.prisma.participantRow.findMany({ include: WHOLE, orderBy: { id: 'asc' } })).map(toParticipant);
  }

  async change(id: string, rule: ParticipantRule): Promise<Participant> {
    const work = this.prisma.$transaction(async (prisma) => {
      await lock(prisma, id);
      const row = await findRow(prisma, id);
      const known = row ? toParticipant(row) : undefined;
      const { next, facts } = rule(known);
      await save(prisma, known, next);
      await appendFacts(asTx(prisma), facts);
      return next;
    });
    return work.catch((error: unknown) => {
      throw asRefusal(error);
    });
  }
}

/** An advisory lock, because a participant being enrolled has no row to lock yet. */
async function lock(prisma: PrismaTx, id: string): Promise<void> {
  await prisma.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`participant:${id}`}, 0))`;
}

/** One question after the other: a transaction is one connection. */
async function findRow(prisma: PrismaTx, id: string) {
  const row = await prisma.participantRow.findUnique({ where: { id } });
  if (!row) return undefined;
  const where = { participantId: id };
  const authorities = await prisma.participantAuthorityRow.findMany({ where, orderBy: ORDER.authorities });
  const certificates = await prisma.participantCertificateRow.findMany({ where, orderBy: ORDER.certificates });
  const keys = await prisma.participantKeyRow.findMany({ where, orderBy: ORDER.keys });
  return { ...row, authorities, certificates, keys };
}

/** Adds what is new and updates what may change; whose a certificate or key is, never changes. */
async function save(prisma: PrismaTx, known: Participant | undefined, next: Participant): Promise<void> {
  const { id, name, state, version, createdAt, changedAt } = next;
  const data = { name, state, stateReason: next.stateReason ?? null, version, changedAt };
  await prisma.participantRow.upsert({ where: { id }, create: { id, createdAt, ...data }, update: data });
  const authorities = next.authorities.filter((issuer) => !known?.authorities.includes(issuer));
  await prisma.participantAuthorityRow.createMany({ data: authorities.map((issuer) => ({ participantId: id, issuer })) });
  await saveCertificates(prisma, id, known?.certificates ?? [], next.certificates);
  await saveKeys(prisma, id, known?.keys ?? [], next.keys);
}

async function saveCertificates(prisma: PrismaTx, participantId: string, known: Certificates, next: Certificates): Promise<void> {
  for (const { revoked, ...issued } of next.filter((certificate) => !known.includes(certificate))) {
    const mark = { revokedAt: revoked?.at ?? null, revokedReason: revoked?.reason ?? null };
    if (known.some(({ x5t }) => x5t === issued.x5t)) {
      await prisma.participantCertificateRow.update({ where: { x5t: issued.x5t, participantId }, data: mark });
    } else {
      await prisma.participantCertificateRow.create({ data: { participantId, ...issued, ...mark } });
    }
  }
}

async function saveKeys(prisma: PrismaTx, participantId: string, known: Participant['keys'], next: Participant['keys']): Promise<void> {
  for (const { kid, alg, jwk, state, addedAt, changedAt } of next.filter((key) => !known.includes(key))) {
    if (known.some((key) => key.kid === kid)) {
      await prisma.participantKeyRow.update({ where: { participantId_kid: { participantId, kid } }, data: { state, changedAt } });
    } else {
      const members = { ...jwk } as Record<string, string>;
      await prisma.participantKeyRow.create({ data: { participantId, kid, alg, jwk: members, state, addedAt, changedAt } });
    }
  }
}

/** Another participant holds this certificate already. */
function asRefusal(error: unknown): unknown {
  const { code, meta } = error as { code?: string; meta?: { modelName?: string } };
  if (code !== 'P2002' || meta?.modelName !== 'ParticipantCertificateRow') return error;
  return new Refusal('conflict', 'certificate.registered', 'this certificate is registered already');
}

function toParticipant(row: Row): Participant {
  const { id, name, version, createdAt, changedAt } = row;
  return {
    ...{ id, name, version, createdAt, changedAt },
    state: row.state as ParticipantState,
    ...(row.stateReason === null ? {} : { stateReason: row.stateReason }),
    authorities: row.authorities.map(({ issuer }) => issuer),
    certificates: row.certificates.map(toCertificate),
    keys: row.keys.map(toKey),
  };
}

function toCertificate(row: Row['certificates'][number]): ParticipantCertificate {
  const { x5t, issuer, serial, notBefore, notAfter, revokedAt } = row;
  const revoked = revokedAt ? { revoked: { at: revokedAt, reason: row.revokedReason ?? '' } } : {};
  return { x5t, issuer, serial, notBefore, notAfter, ...revoked };
}

function toKey(row: Row['keys'][number]): ParticipantKey {
  const { kid, addedAt, changedAt } = row;
  return {
    ...{ kid, addedAt, changedAt },
    alg: row.alg as SignatureAlgorithm,
    jwk: row.jwk as JsonWebKey,
    state: row.state as VerificationKeyState,
  };
}

/** Prisma's open transaction as the transaction that facts are appended to. */
function asTx(prisma: PrismaTx): Tx {
  return { query: (sql: string, params: readonly unknown[] = []) => prisma.$queryRawUnsafe(sql, ...params) } as unknown as Tx;
}
