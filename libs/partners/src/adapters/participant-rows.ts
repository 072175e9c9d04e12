import type { JsonWebKey, SignatureAlgorithm } from '#evidence';
import { type FactPosition, invariant } from '#kernel';
import { appendFacts, type Tx } from '#platform';
import type { PrismaService } from '#platform/adapters/prisma.module';
import type {
  KeyState,
  Participant,
  ParticipantCertificate,
  ParticipantChange,
  ParticipantKey,
  ParticipantNotice,
  ParticipantState,
} from '../participant.js';

export type PrismaTx = Parameters<Parameters<PrismaService['$transaction']>[0]>[0];

/** A notice with the place of its fact. */
export interface PlacedNotice extends Omit<ParticipantNotice, 'fact'> {
  readonly participant: string;
  readonly origin: FactPosition;
}

/** Puts notices into the participants' event queues, in the transaction of what they tell. */
export type TellParticipants = (tx: Tx, notices: readonly PlacedNotice[]) => Promise<void>;

/** Oldest first, so that what is loaded twice is equal twice. */
const ORDER = {
  authorities: { issuer: 'asc' as const },
  certificates: [{ notBefore: 'asc' as const }, { x5t: 'asc' as const }],
  keys: [{ addedAt: 'asc' as const }, { kid: 'asc' as const }],
};
export const WHOLE = {
  authorities: { orderBy: ORDER.authorities },
  certificates: { orderBy: ORDER.certificates },
  keys: { orderBy: ORDER.keys },
};
type Row = NonNullable<Awaited<ReturnType<typeof findRow>>>;

/** An advisory lock, because a participant being enrolled has no row to lock yet. */
export async function lockParticipant(prisma: PrismaTx, id: string): Promise<void> {
  await prisma.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`participant:${id}`}, 0))`;
}

export async function findParticipant(prisma: PrismaTx, id: string): Promise<Participant | undefined> {
  const row = await findRow(prisma, id);
  return row && toParticipant(row);
}

/** Saves a change with its facts and what is told of them. */
export async function saveChange(
  prisma: PrismaTx,
  known: Participant | undefined,
  { next, facts, notices = [] }: ParticipantChange,
  tell: TellParticipants,
): Promise<void> {
  await save(prisma, known, next);
  const positions = await appendFacts(asTx(prisma), facts);
  if (notices.length > 0) await tell(asTx(prisma), notices.map(placed));

  function placed({ fact, kind, body }: ParticipantNotice): PlacedNotice {
    const origin = positions[facts.indexOf(fact)];
    invariant(origin, 'a notice tells of a fact of its own change');
    return { participant: next.id, kind, body, origin };
  }
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
  const data = {
    name,
    state,
    stateReason: next.stateReason ?? null,
    version,
    changedAt,
    addresses: [...next.addresses],
    provedGatewayKeys: [...next.provedGatewayKeys],
    ...pendingColumns(next),
  };
  await prisma.participantRow.upsert({ where: { id }, create: { id, createdAt, ...data }, update: data });
  const authorities = next.authorities.filter((issuer) => !known?.authorities.includes(issuer));
  await prisma.participantAuthorityRow.createMany({ data: authorities.map((issuer) => ({ participantId: id, issuer })) });
  await saveCertificates(prisma, id, known?.certificates ?? [], next.certificates);
  await saveKeys(prisma, id, known?.keys ?? [], next.keys);
}

function pendingColumns({ suspension, closing }: Participant) {
  return {
    suspendFrom: suspension?.from ?? null,
    suspendReason: suspension?.reason ?? null,
    closingBy: closing?.by ?? null,
    closingReason: closing?.reason ?? null,
    closingAt: closing?.at ?? null,
  };
}

type Certificates = readonly ParticipantCertificate[];

async function saveCertificates(prisma: PrismaTx, participantId: string, known: Certificates, next: Certificates): Promise<void> {
  for (const { revoked, announcedDays, ...issued } of next.filter((certificate) => !known.includes(certificate))) {
    const mark = { revokedAt: revoked?.at ?? null, revokedReason: revoked?.reason ?? null, announcedDays: announcedDays ?? null };
    if (known.some(({ x5t }) => x5t === issued.x5t)) {
      await prisma.participantCertificateRow.update({ where: { x5t: issued.x5t, participantId }, data: mark });
    } else {
      await prisma.participantCertificateRow.create({ data: { participantId, ...issued, ...mark } });
    }
  }
}

async function saveKeys(prisma: PrismaTx, participantId: string, known: Participant['keys'], next: Participant['keys']): Promise<void> {
  for (const key of next.filter((one) => !known.includes(one))) {
    const { kid, alg, jwk, state, addedAt, changedAt, challenge, notAfter, suspectedSince, announcedDays } = key;
    const mark = {
      state,
      changedAt,
      challenge: challenge ?? null,
      suspectedSince: suspectedSince ?? null,
      announcedDays: announcedDays ?? null,
    };
    if (known.some((one) => one.kid === kid)) {
      await prisma.participantKeyRow.update({ where: { participantId_kid: { participantId, kid } }, data: mark });
    } else {
      const members = { ...jwk } as Record<string, string>;
      await prisma.participantKeyRow.create({
        data: { participantId, kid, alg, jwk: members, addedAt, notAfter: notAfter ?? null, ...mark },
      });
    }
  }
}

export function toParticipant(row: Row): Participant {
  const { id, name, version, createdAt, changedAt, addresses, provedGatewayKeys, suspendFrom, closingAt } = row;
  return {
    id,
    name,
    version,
    createdAt,
    changedAt,
    addresses,
    provedGatewayKeys,
    state: row.state as ParticipantState,
    ...(row.stateReason === null ? {} : { stateReason: row.stateReason }),
    authorities: row.authorities.map(({ issuer }) => issuer),
    certificates: row.certificates.map(toCertificate),
    keys: row.keys.map(toKey),
    ...(suspendFrom ? { suspension: { from: suspendFrom, reason: row.suspendReason ?? '' } } : {}),
    ...(closingAt ? { closing: { by: row.closingBy ?? '', reason: row.closingReason ?? '', at: closingAt } } : {}),
  };
}

function toCertificate(row: Row['certificates'][number]): ParticipantCertificate {
  const { x5t, issuer, serial, notBefore, notAfter, revokedAt, announcedDays } = row;
  return {
    x5t,
    issuer,
    serial,
    notBefore,
    notAfter,
    ...(revokedAt ? { revoked: { at: revokedAt, reason: row.revokedReason ?? '' } } : {}),
    ...(announcedDays === null ? {} : { announcedDays }),
  };
}

function toKey(row: Row['keys'][number]): ParticipantKey {
  const { kid, addedAt, changedAt, challenge, notAfter, suspectedSince, announcedDays } = row;
  return {
    kid,
    addedAt,
    changedAt,
    alg: row.alg as SignatureAlgorithm,
    jwk: row.jwk as JsonWebKey,
    state: row.state as KeyState,
    ...(challenge === null ? {} : { challenge }),
    ...(notAfter ? { notAfter } : {}),
    ...(suspectedSince ? { suspectedSince } : {}),
    ...(announcedDays === null ? {} : { announcedDays }),
  };
}

/** Prisma's open transaction as the transaction that facts are appended to. */
function asTx(prisma: PrismaTx): Tx {
  return { query: (sql: string, params: readonly unknown[] = []) => prisma.$queryRawUnsafe(sql, ...params) } as unknown as Tx;
}
