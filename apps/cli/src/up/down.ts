import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endPostgresLeftover, endRedisLeftover } from '#platform';
import { type Environment, OWN, readEnvironment } from './installation.js';
import { findSupervisor } from './lock.js';

const STOP_TIMEOUT_MS = 60_000;
const STEP_MS = 100;

/** Stops everything of this installation, also what a killed supervisor left behind. @returns whether anything was running */
export async function down(home: string): Promise<boolean> {
  const supervisor = findSupervisor(home);
  if (supervisor) await end(home, supervisor);
  const environment = readEnvironment(home);
  const leftovers = environment ? await endLeftovers(home, environment) : false;
  return supervisor !== undefined || leftovers;
}

async function end(home: string, pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; findSupervisor(home) === pid; waitedMs += STEP_MS) {
    if (waitedMs > STOP_TIMEOUT_MS) process.kill(pid, 'SIGKILL');
    await delay(STEP_MS);
  }
}

async function endLeftovers(home: string, environment: Environment): Promise<boolean> {
  const folder = environment[OWN.postgresFolder];
  const postgres = folder ? await endPostgresLeftover(folder) : false;
  return (await endRedisLeftover(path.join(home, 'redis'))) || postgres;
}

/** Deletes everything this installation keeps. A DATABASE_URL or REDIS_URL of somebody else's is not touched. */
export function deleteData(home: string): void {
  const folder = readEnvironment(home)?.[OWN.postgresFolder];
  if (folder && path.basename(folder).startsWith('postgres')) rmSync(folder, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
}

/** Only a folder that `up` made is ever deleted. */
export function isHome(folder: string): boolean {
  return existsSync(path.join(folder, 'env.json'));
}
