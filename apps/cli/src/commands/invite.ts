import type { Command } from 'commander';
import { Refusal } from '#kernel';
import { Enrolments, parseParticipantId } from '#partners';
import { nodeClerk } from '#partners/adapters/node-secret';
import { type Config, pkiFolder } from '#platform';
import { digestCsr } from '../../../../certs/issue.js';
import { withRegistry } from '../registry/open-registry.js';

interface InviteOptions {
  readonly name?: string;
  readonly ttl: string;
  readonly activate?: true;
  readonly by: string;
}

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export function register(program: Command): void {
  program
    .command('invite <participant>')
    .description('invite a partner to enrol by itself; nothing but the invitation goes to standard output, and it is shown once')
    .option('--name <name>', 'name of the organisation; needed for a newcomer')
    .option('--ttl <time>', 'how long it is good: 30m, 72h, 7d', '72h')
    .option('--activate', 'let it work as soon as it is enrolled, without "keys activate"')
    .option('--by <person>', 'who invites; it stands in the log', 'operator')
    .action(invite);
}

async function invite(participant: string, { name, ttl, activate, by }: InviteOptions): Promise<void> {
  const id = parseParticipantId(participant);
  await withRegistry(async ({ config, enrolmentStore, registry, clock }) => {
    const enrolments = new Enrolments(enrolmentStore, registry, nodeClerk(digestCsr), clock);
    const wish = { participant: id, ttlMs: parseTtl(ttl), activate: activate === true, by, ...(name === undefined ? {} : { name }) };
    const { secret, invitation } = await enrolments.invite(wish);
    // Alone on standard output, so that a script can take it.
    console.log(secret);
    console.error(nextSteps(id, invitation.expiresAt, config));
  });
}

/** Refuses `invitation.ttl`. */
function parseTtl(text: string): number {
  const [, count, unit] = /^([0-9]{1,5})([mhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return Number(count) * UNITS_MS[unit]!;
  throw new Refusal('malformed', 'invitation.ttl', 'say how long as 30m, 72h or 7d', { field: 'ttl' });
}

function nextSteps(id: string, expiresAt: Date, config: Config): string {
  const origin = config.ENROLMENT_ORIGIN ?? (config.ENROLMENT_PORT ? `https://localhost:${config.ENROLMENT_PORT}` : undefined);
  return [
    `The invitation of ${id} is good once, until ${expiresAt.toISOString()}. It is not shown again; an earlier one is good no more.`,
    `Next: send it over a safe way with ${pkiFolder(config)}/server/ca.pem and the recipe in apps/gateway/README.md.`,
    origin ? `The partner enrols at ${origin}/enrolments.` : 'No enrolment listener is set up: set ENROLMENT_PORT at the gateway.',
  ].join('\n');
}
