import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PrismaService } from '#platform/adapters/prisma.module';
import { freshDatabase, type FreshDatabase } from '#platform/testing/database';
import { enrolParticipant } from '../enrol-participant.js';
import { aCertificate, anEnrolment, AT } from '../testing/builders.js';
import { participantStoreContract } from '../testing/participant-store-contract.js';
import { PrismaParticipantStore } from './prisma-participant-store.js';

describe('PrismaParticipantStore', () => {
  let fresh: FreshDatabase;
  let store: PrismaParticipantStore;
  beforeAll(async () => {
    fresh = await freshDatabase();
    store = new PrismaParticipantStore(new PrismaService(fresh.database), () => Promise.resolve());
  });
  afterAll(() => fresh.close());

  participantStoreContract(
    () => store,
    async (participant) => (await fresh.database.query('SELECT 1 FROM facts WHERE participant = $1', [participant])).length,
  );

  it('never hands a certificate to another participant', async () => {
    const enrol = (id: string) =>
      store.change(id, (known) =>
        enrolParticipant(known, anEnrolment({ id, certificate: aCertificate({ x5t: 'same', serial: 'same' }) }), AT),
      );
    await enrol('owner-a');
    await expect(enrol('owner-b')).rejects.toThrow('certificate.registered');
    expect((await store.loadAll()).filter(({ certificates }) => certificates.some(({ x5t }) => x5t === 'same'))).toHaveLength(1);
  });
});
