import type { Command } from 'commander';
import { Refusal } from '#kernel';
import { parseParticipantId } from '#partners';
import { pkiFolder } from '#platform';
import { normalSerial } from '#platform/adapters/mtls-authority';
import { EC_AUTHORITY, RSA_AUTHORITY, revokeInDevelopment } from '../../../../certs/make-dev-pki.js';
import { type OpenRegistry, ownersOf, withRegistry } from '../registry/open-registry.js';

interface RevokeOptions {
  readonly serial?: string;
  readonly participant?: string;
  readonly reason: string;
}

export function register(program: Command): void {
  program
    .command('revoke')
    .description('take access away: one certificate for good (--serial), or a whole participant until further notice (--participant)')
    .option('--serial <hex>', 'serial of the certificate')
    .option('--participant <id>', 'suspend this participant')
    .requiredOption('--reason <text>', 'why; it stands in the log')
    .action((options: RevokeOptions) => withRegistry((registry) => revoke(registry, options)));
}

async function revoke(registry: OpenRegistry, { serial, participant, reason }: RevokeOptions): Promise<void> {
  if ((serial === undefined) === (participant === undefined)) {
    throw new Refusal('malformed', 'revoke.what', 'say either --serial or --participant');
  }
  if (serial !== undefined) return revokeSerial(registry, normalSerial(serial.replaceAll(':', '')), reason);
  const { id } = await registry.participants.suspend(parseParticipantId(participant!), reason);
  console.log(`${id} is SUSPENDED; its open connections are closed within ten seconds.`);
  console.log(`Next: tell the partner. To lift it: tallystick keys activate ${id} --reason "..."`);
}

async function revokeSerial({ config, participants, store }: OpenRegistry, serial: string, reason: string): Promise<void> {
  const owners = ownersOf(serial, await store.loadAll());
  if (owners.length === 0) throw new Refusal('not_found', 'certificate.unknown', `no registered certificate has serial ${serial}`);
  for (const { id } of owners) {
    await participants.revokeCertificate(id, serial, reason);
    console.log(`${serial} of ${id} is revoked; its open connections are closed within ten seconds.`);
  }
  if (config.TALLYSTICK_ENV !== 'production') {
    for (const name of [EC_AUTHORITY, RSA_AUTHORITY]) await revokeInDevelopment(pkiFolder(config), name, serial, new Date());
    console.log('The development CRLs carry it too.');
  } else console.log('Next: have the issuing CA put it on its CRL, and put the new CRL into PKI_DIR/partners/.');
}
