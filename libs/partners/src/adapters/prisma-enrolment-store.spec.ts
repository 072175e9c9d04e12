import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PrismaService } from '#platform/adapters/prisma.module';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { enrolParticipant } from '../enrol-participant.js';
import { passTime } from '../pass-time.js';
import { aCertificate, anEnrolment, AT } from '../testing/builders.js';
import { enrolmentContract } from '../testing/enrolment-contract.js';
import type { PlacedNotice } from './participant-rows.js';
import { PrismaEnrolmentStore } from './prisma-enrolment-store.js';
import { PrismaParticipantStore } from './prisma-participant-store.js';

describe('enrolment in PostgreSQL', () => {
  let fresh: FreshDatabase;
  let prisma: PrismaService;
  const told: PlacedNotice[] = [];
  const tell = (_tx: unknown, notices: readonly PlacedNotice[]) => Promise.resolve(void told.push(...notices));
  beforeAll(async () => {
    fresh = await freshDatabase();
    prisma = new PrismaService(fresh.database);
  });
  afterAll(() => fresh.close());

  enrolmentContract(
    () => ({ participants: new PrismaParticipantStore(prisma, tell), enrolments: new PrismaEnrolmentStore(prisma, tell) }),
    async (participant) => {
      const rows = await fresh.database.query<{ kind: string }>('SELECT kind FROM facts WHERE participant = $1 ORDER BY seq', [
        participant,
      ]);
      return rows.map(({ kind }) => kind);
    },
  );

  it('tells of an expiry with the place of its fact', async () => {
    const store = new PrismaParticipantStore(prisma, tell);
    const certificate = aCertificate({ x5t: 'ending', serial: 'e1', notAfter: new Date(AT.getTime() + 5 * 86_400_000) });
    await store.change('bank-e', (known) => enrolParticipant(known, anEnrolment({ id: 'bank-e', certificate }), AT));
    for (let n = 0; n < 2; n++) await store.change('bank-e', (known) => passTime(known!, AT));
    const [fact] = await fresh.database.query<{ seq: bigint }>(
      `SELECT seq FROM facts WHERE kind = 'participant.certificate_expiring' AND participant = 'bank-e'`,
    );
    const expiring = told.filter(({ kind }) => kind === 'certificate.expiring');
    expect(expiring).toMatchObject([
      { participant: 'bank-e', kind: 'certificate.expiring', body: { days: 7 }, origin: { seq: fact!.seq } },
    ]);
  });

  it('forgets no request and no invitation', async () => {
    await expect(fresh.database.query('DELETE FROM certificate_requests')).rejects.toThrow(/permission denied/);
    await expect(fresh.database.query('DELETE FROM participant_invitations')).rejects.toThrow(/permission denied/);
  });
});
