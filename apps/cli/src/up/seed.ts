import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ParticipantRegistry, Participants } from '#partners';
import { PartnersModule } from '#partners/adapters/partners.module';
import { type Config, createLogger, Database, NestLogger, pkiFolder } from '#platform';
import { PlatformModule } from '#platform/adapters/platform.module';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { createStaffAccount } from '#staff/adapters/create-staff-account';
import { Subjects } from '#standing';
import { tellParticipants } from '#standing/adapters/pg-participant-notices';
import { StandingModule } from '#standing/adapters/standing.module';
import { seedBanks } from '../seed/seed-banks.js';
import { seedCustomers } from '../seed/seed-customers.js';
import { readToyBank, TOY_BANKS } from '../seed/toy-banks.js';
import { writeTryEnv } from '../seed/try-env.js';

export interface SeedReport {
  /** One line for the screen. */
  readonly line: string;
  /** Logins made now with the console password: it is shown only for these. */
  readonly staff: readonly string[];
}

/** One login per role, each called like its role. */
const LOGINS = ['compliance', 'risk', 'operator', 'auditor'] as const;

@Module({})
class SeedModule {}

/** Sample data of a development installation; what is there already stays as it is. */
export async function seed(config: Config, consolePassword: string): Promise<SeedReport> {
  const logger = createLogger('seed', 'warn');
  const imports = [PlatformModule.forRoot(config, logger), PartnersModule.register(tellParticipants), StandingModule];
  const rooms = await NestFactory.createApplicationContext({ module: SeedModule, imports }, { logger: new NestLogger(logger) });
  try {
    const database = rooms.get(Database);
    await seedBanks(rooms.get(Participants), rooms.get(ParticipantRegistry), pkiFolder(config));
    await seedPolicy(new PgPolicies(database));
    const customers = await seedCustomers(rooms.get(Subjects));
    writeTryEnv(config, customers[0]!, readToyBank(pkiFolder(config), TOY_BANKS[0]).signingKey);
    const staff = await seedStaff(database, consolePassword);
    return { line: `sample data: ${TOY_BANKS.length} banks, ${customers.length} subjects, one active policy`, staff };
  } finally {
    await rooms.close();
  }
}

/** A policy that somebody activated since stays active. */
async function seedPolicy(policies: PgPolicies): Promise<void> {
  if ((await policies.findActiveVersion()) !== undefined) return;
  const document: unknown = JSON.parse(readFileSync(path.resolve('prisma/seed/policy.json'), 'utf8'));
  await policies.activate(document, { author: 'seed', approver: 'seed-approver' }, new Date());
}

async function seedStaff(database: Database, password: string): Promise<string[]> {
  const made: string[] = [];
  for (const role of LOGINS) if (await createStaffAccount(database, { name: role, role, password })) made.push(role);
  return made;
}
