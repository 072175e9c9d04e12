import type { Command } from 'commander';
import { parsePublicJwk } from '#evidence';
import { Refusal } from '#kernel';
import { parseParticipantId } from '#partners';
import { type Config, ConfigError, pkiFolder } from '#platform';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import type { Authority } from '../../../../certs/authority.js';
import { issueForCsr } from '../../../../certs/issue.js';
import { EC_AUTHORITY, readDevelopmentAuthority } from '../../../../certs/make-dev-pki.js';
import { readUserFile, readUserJson, withRegistry, writeUserFile } from '../registry/open-registry.js';

interface EnrolOptions {
  readonly id: string;
  readonly name?: string;
  readonly csr: string;
  readonly jwks?: string;
  readonly out: string;
  readonly days: string;
  readonly issuer?: string;
  readonly issuerKey?: string;
  readonly activate: boolean;
  readonly renew?: true;
}

export function register(program: Command): void {
  program
    .command('enrol')
    .description('enrol a partner: sign its CSR, register its certificate and signing keys')
    .requiredOption('--id <id>', 'participant id: 2 to 40 of a-z, 0-9 and -')
    .option('--name <name>', 'name of the organisation')
    .requiredOption('--csr <file>', 'its PKCS#10 request (PEM)')
    .option('--jwks <file>', 'its public signing keys (JWKS or one JWK)')
    .requiredOption('--out <file>', 'where to write its certificate (PEM)')
    .option('--days <days>', 'how long the certificate is good', '90')
    .option('--issuer <file>', 'certificate of the issuing CA; default: the development CA')
    .option('--issuer-key <file>', 'private key of the issuing CA')
    .option('--renew', 'give a participant that is enrolled already its next certificate; the one before stays good')
    .option('--no-activate', 'leave it ENROLLED: it may see itself and try signatures, nothing more')
    .action(enrol);
}

async function enrol(options: EnrolOptions): Promise<void> {
  const id = parseParticipantId(options.id);
  await withRegistry(async ({ config, participants, store }) => {
    // Before anything is issued: a certificate that names a participant already opens its door.
    const known = (await store.loadAll()).some((participant) => participant.id === id);
    if (known !== (options.renew === true)) throw wrongMode(id, known);
    const newcomer = known ? undefined : readNewcomer(options);
    const authority = readAuthority(options, config);
    const pem = await issueForCsr(authority, readUserFile(options.csr), id, new Date(), Number(options.days));
    const certificate = readIssuedCertificate(pem, authority.certificate);
    writeUserFile(options.out, pem);
    if (newcomer) await participants.enrol({ id, ...newcomer, certificate });
    else await participants.registerCertificate(id, certificate);
    if (newcomer && options.activate) await participants.activate(id, 'enrolled by the operator');
    console.log(nextSteps(id, options, config));
  });
}

function wrongMode(id: string, known: boolean): Refusal {
  return known
    ? new Refusal('conflict', 'participant.exists', `${id} is enrolled already: add --renew to give it its next certificate`)
    : new Refusal('not_found', 'participant.unknown', `there is no participant ${id} to renew a certificate for`);
}

function readNewcomer({ name, jwks }: EnrolOptions) {
  if (name === undefined || jwks === undefined) throw new Refusal('malformed', 'enrol.incomplete', 'a newcomer needs --name and --jwks');
  return { name, keys: readKeys(jwks) };
}

function readKeys(file: string): ReturnType<typeof parsePublicJwk>[] {
  const read = readUserJson(file);
  const keys = (read as { keys?: unknown } | null)?.keys;
  return (Array.isArray(keys) ? keys : [read]).map(parsePublicJwk);
}

/** The issuing key is an operator's: it lives outside the gateway. Development has one in its PKI folder. */
function readAuthority({ issuer, issuerKey }: EnrolOptions, config: Config): Authority {
  if (issuer !== undefined && issuerKey !== undefined) return { certificate: readUserFile(issuer), key: readUserFile(issuerKey) };
  const development = config.TALLYSTICK_ENV === 'production' ? undefined : readDevelopmentAuthority(pkiFolder(config), EC_AUTHORITY);
  if (!development) throw new ConfigError('name the issuing CA: --issuer ca.pem --issuer-key ca.key.pem');
  return development;
}

function nextSteps(id: string, { out, activate, renew }: EnrolOptions, config: Config): string {
  const outcome = renew ? 'has a new certificate' : activate ? 'is ACTIVE' : 'is ENROLLED';
  return [
    `${id} ${outcome}. The certificate is in ${out}; running gateways know it within a second.`,
    'Next, the partner tries its connection:',
    `  curl --cacert ${pkiFolder(config)}/server/ca.pem --cert ${out} --key <its key> ${config.GATEWAY_ORIGIN}/v1/participants/me`,
    ...(activate || renew ? [] : [`When its signatures pass /v1/security/echo:  tallystick keys activate ${id}`]),
  ].join('\n');
}
