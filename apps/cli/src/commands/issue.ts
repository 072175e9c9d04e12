import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { IssueCertificates } from '#partners';
import { createIssuer, findIssuingAuthority } from '#partners/adapters/issuing-authority';
import { ConfigError } from '#platform';
import { issueForCsr } from '../../../../certs/issue.js';
import { withRegistry } from '../registry/open-registry.js';

const WATCH_EVERY_MS = 1_000;

export function register(program: Command): void {
  program
    .command('issue')
    .description('certify what partners asked for, with the key of ISSUER_KEY_FILE; for the machine that holds it, never a gateway')
    .option('--watch', 'go on until interrupted')
    .action(issue);
}

async function issue({ watch }: { watch?: true }): Promise<void> {
  await withRegistry(async ({ config, enrolmentStore, clock }) => {
    const authority = findIssuingAuthority(config);
    if (!authority) throw new ConfigError('name the issuing CA: ISSUER_CERTIFICATE_FILE and ISSUER_KEY_FILE');
    const issuing = new IssueCertificates(enrolmentStore, createIssuer(authority, issueForCsr), clock);
    let interrupted = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (interrupted = true));
    do {
      const decided = await issuing.run();
      if (decided > 0 || !watch) console.log(`${decided} requests decided`);
      if (watch) await delay(WATCH_EVERY_MS);
    } while (watch && !interrupted);
  });
}
