import 'reflect-metadata';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Clock, Refusal, systemClock } from '#kernel';
import { type EnrolmentStore, type Participant, type ParticipantStore, ParticipantRegistry, Participants } from '#partners';
import { PrismaEnrolmentStore } from '#partners/adapters/prisma-enrolment-store';
import { PrismaParticipantStore } from '#partners/adapters/prisma-participant-store';
import type { Config } from '#platform';
import { PrismaService } from '#platform/adapters/prisma.module';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
import { onDatabase } from '../on-database.js';
import { userPath } from '../user-path.js';

export interface OpenRegistry {
  readonly config: Config;
  readonly participants: Participants;
  readonly store: ParticipantStore;
  readonly registry: ParticipantRegistry;
  readonly enrolmentStore: EnrolmentStore;
  readonly clock: Clock;
}

/** Opens the registry of the installation for one command and closes it afterwards. */
export function withRegistry<T>(work: (registry: OpenRegistry) => Promise<T>): Promise<T> {
  return onDatabase(async (database, config) => {
    const prisma = new PrismaService(database);
    try {
      const store = new PrismaParticipantStore(prisma, tellParticipants);
      const registry = new ParticipantRegistry(store, systemClock);
      const participants = new Participants(store, registry, systemClock);
      const enrolmentStore = new PrismaEnrolmentStore(prisma, tellParticipants);
      return await work({ config, store, registry, participants, enrolmentStore, clock: systemClock });
    } finally {
      await prisma.$disconnect();
    }
  });
}

/** Whose certificate carries this serial. */
export function ownersOf(serial: string, all: readonly Participant[]): Participant[] {
  return all.filter(({ certificates }) => certificates.some((certificate) => certificate.serial === serial));
}

export function readUserFile(name: string): string {
  return readFileSync(userPath(name), 'utf8');
}

/** Refuses `file.not_json`, and repeats nothing of what stands there: it may be a key. */
export function readUserJson(name: string): unknown {
  const text = readUserFile(name);
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal('malformed', 'file.not_json', `${name} is not JSON`);
  }
}

export function writeUserFile(name: string, content: string): void {
  writeFileSync(userPath(name), content);
}
