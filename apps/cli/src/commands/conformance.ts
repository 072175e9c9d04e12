import type { Command } from 'commander';
import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Refusal } from '#kernel';
import { parseParticipantId } from '#partners';
import { type Config, loadSigner, parseConfig, pkiFolder } from '#platform';
import type { SigningKey } from '#sdk';
import { getWebhook } from '#standing';
import { HttpsWebhookPush, pushSettings } from '#standing/adapters/https-webhook-push';
import { saveConformanceRun } from '#standing/adapters/pg-conformance-runs';
import { PgWebhookBook } from '#standing/adapters/pg-webhook-book';
import { type ClientCertificate, GatewayProbes } from '../conformance/gateway-probes.js';
import { partnerProbes } from '../conformance/partner-probes.js';
import { failedOf, type ProbeResult, runProbes, tableOf } from '../conformance/probe.js';
import { readUserFile } from '../registry/open-registry.js';
import { onDatabase } from '../on-database.js';

interface Options {
  readonly partner?: string;
  readonly gateway?: string;
  readonly json?: boolean;
  readonly as?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly signingKey?: string;
  readonly revokedCert?: string;
  readonly revokedKey?: string;
}

/** Negative probes: what must be refused, sent for real. Exits 1 where something was taken. */
export function register(program: Command): void {
  program
    .command('conformance')
    .description('send what must be refused to a partner’s webhook, or to a gateway, and score the answers')
    .option('--partner <id>', 'probe this partner’s webhook; the score is kept, and shown in the console')
    .option('--gateway <url>', 'probe a gateway as a bank; files left out are those of the development bank')
    .option('--json', 'as JSON')
    .option('--as <id>', 'with --gateway: the participant that calls', 'bank-a')
    .option('--ca <file>', 'with --gateway: the CA of its certificate')
    .option('--cert <file>', 'with --gateway: a client certificate')
    .option('--key <file>', 'with --gateway: its key')
    .option('--signing-key <file>', 'with --gateway: a private JWK with its registered kid and alg')
    .option('--revoked-cert <file>', 'with --gateway: a client certificate that was revoked')
    .option('--revoked-key <file>', 'with --gateway: its key')
    .action(async (options: Options) => {
      if ((options.partner === undefined) === (options.gateway === undefined)) {
        throw new Refusal('malformed', 'conformance.what', 'say either --partner or --gateway');
      }
      const target = options.partner ?? options.gateway!;
      const results = options.partner === undefined ? await probeGateway(target, options) : await probePartner(parseParticipantId(target));
      show(target, results, options.json === true);
      if (failedOf(results).length > 0) process.exitCode = 1;
    });
}

function show(target: string, results: readonly ProbeResult[], json: boolean): void {
  const passed = results.length - failedOf(results).length;
  if (json) console.log(JSON.stringify({ target, passed, total: results.length, failed: failedOf(results), probes: results }));
  else for (const line of tableOf(target, results)) console.log(line);
}

function probePartner(participant: string): Promise<ProbeResult[]> {
  return onDatabase(async (database, config) => {
    const messageSigner = loadSigner(config, 'response');
    const push = new HttpsWebhookPush(pushSettings(config), () => messageSigner);
    try {
      const { url } = getWebhook(await new PgWebhookBook(database).find(participant));
      const probes = partnerProbes({
        ...{ target: { participant, url }, issuer: config.GATEWAY_ORIGIN, push, messageSigner },
        ...{ tokenSigner: loadSigner(config, 'receipt'), now: () => new Date() },
      });
      const results = await runProbes(probes);
      await saveConformanceRun(database, { participant, probes: results.length, failed: failedOf(results) });
      return results;
    } finally {
      await push.close();
    }
  });
}

async function probeGateway(url: string, options: Options): Promise<ProbeResult[]> {
  const config = parseConfig(process.env);
  const bank = path.join(pkiFolder(config), 'clients', options.as ?? 'bank-a');
  const probes = new GatewayProbes({
    ...{ origin: originOf(url), participant: options.as ?? 'bank-a', now: () => new Date() },
    ca: read(options.ca, path.join(pkiFolder(config), 'server', 'ca.pem')),
    certificate: { cert: read(options.cert, path.join(bank, 'cert.pem')), key: read(options.key, path.join(bank, 'key.pem')) },
    revoked: revokedOf(options, config),
    signingKey: signingKeyOf(read(options.signingKey, path.join(bank, 'signing-key.jwk.json'))),
  });
  try {
    return await runProbes(probes.all());
  } finally {
    await probes.close();
  }
}

function originOf(url: string): string {
  if (URL.canParse(url)) return new URL(url).origin;
  throw new Refusal('malformed', 'conformance.address', `${url} is no address like https://gateway.example:7443`);
}

/** The development PKI has one; elsewhere it is brought, or not probed. */
function revokedOf({ revokedCert, revokedKey, cert }: Options, config: Config): ClientCertificate | undefined {
  if (revokedCert !== undefined && revokedKey !== undefined) return { cert: readUserFile(revokedCert), key: readUserFile(revokedKey) };
  if (cert !== undefined) return undefined;
  const folder = path.join(pkiFolder(config), 'clients', 'revoked');
  return { cert: readFileSync(path.join(folder, 'cert.pem'), 'utf8'), key: readFileSync(path.join(folder, 'key.pem'), 'utf8') };
}

function read(named: string | undefined, otherwise: string): string {
  return named === undefined ? readFileSync(otherwise, 'utf8') : readUserFile(named);
}

function signingKeyOf(text: string): SigningKey {
  try {
    const jwk = JSON.parse(text) as JsonWebKey & { kid: string; alg: SigningKey['alg'] };
    return { kid: jwk.kid, alg: jwk.alg, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) };
  } catch {
    throw new Refusal('malformed', 'key.malformed', 'the signing key is no private JWK with kid and alg');
  }
}
