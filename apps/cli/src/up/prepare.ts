import { migrate, parseConfig, createSigner, pkiFolder, SIGNER_NAMES } from '#platform';
import type { Environment } from './installation.js';
import { seed, type SeedReport } from './seed.js';

const PKI_SCRIPT = new URL('../../../../certs/make-dev-pki.js', import.meta.url).href;

/** Everything the doors need before they open: schema, certificates, keys, sample data. Each step keeps what is there. */
export async function prepare(environment: Environment, consolePassword: string, say: (line: string) => void): Promise<SeedReport> {
  const config = parseConfig(environment);
  const applied = await migrate(environment['DATABASE_URL']!);
  say(applied.length > 0 ? `schema: ${applied.length} migrations applied` : 'schema: up to date');
  const { ensureDevelopmentPki } = (await import(PKI_SCRIPT)) as { ensureDevelopmentPki(folder: string, now: Date): Promise<void> };
  await ensureDevelopmentPki(pkiFolder(config), new Date());
  for (const name of SIGNER_NAMES) createSigner(config, name);
  say('development certificates and signing keys: valid');
  const report = await seed(config, consolePassword);
  say(report.line);
  return report;
}
