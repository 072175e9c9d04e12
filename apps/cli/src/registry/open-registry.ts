import 'reflect-metadata';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Clock, systemClock } from '#kernel';
import { type EnrolmentStore, type Participant, type ParticipantStore, ParticipantRegistry, Participants } from '#partners';
import { PrismaEnrolmentStore } from '#partners/adapters/prisma-enrolment-store';
import { PrismaParticipantStore } from '#partners/adapters/prisma-participant-store';
import { type Config, ConfigError, Database, parseConfig } from '#platform';
import { PrismaService } from '#platform/adapters/prisma.module';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
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
export async function withRegistry<T>(work: (registry: OpenRegistry) => Promise<T>): Promise<T> {
  const config = parseConfig(process.env);
  if (config.DATABASE_URL === undefined) throw new ConfigError('no installation is running here: run "npm run up", or set DATABASE_URL');
  const database = await Database.open(config.DATABASE_URL, 2);
  const prisma = new PrismaService(database);
  try {
    const store = new PrismaParticipantStore(prisma, tellParticipants);
    const registry = new ParticipantRegistry(store, systemClock);
    const participants = new Participants(store, registry, systemClock);
    const enrolmentStore = new PrismaEnrolmentStore(prisma, tellParticipants);
    return await work({ config, store, registry, participants, enrolmentStore, clock: systemClock });
  } finally {
    await prisma.$disconnect();
    await database.close();
  }
}

/** Whose certificate carries this serial. */
export function ownersOf(serial: string, all: readonly Participant[]): Participant[] {
  return all.filter(({ certificates }) => certificates.some((certificate) => certificate.serial === serial));
}

export function readUserFile(name: string): string {
  return readFileSync(userPath(name), 'utf8');
}

export function writeUserFile(name: string, content: string): void {
  writeFileSync(userPath(name), content);
}
