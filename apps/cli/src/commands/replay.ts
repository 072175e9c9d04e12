import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { printable } from '#contract';
import { DECISION_RECEIPT_TYP, type Difference, parseReceiptClaims, type ReceiptClaims, replayReceipt } from '#decisions';
import { nodeCrypto, parseJsonStrict, parsePublicJwk, parseVkeys, utf8, type VerificationKey, verifyJws } from '#evidence';
import { formatMinor, Refusal } from '#kernel';
import { verifyDecisionProof } from '../receipts/proven-decision.js';
import { userPath } from '../user-path.js';

interface ReplayOptions {
  readonly policy: string;
  readonly key?: string;
  readonly logKey?: string;
}

interface Trusted {
  readonly file: string;
  readonly keys: readonly VerificationKey[];
}

/** `tallystick replay`: reads receipt, policy and trusted keys, and nothing else: no network, no database. */
export function register(program: Command): void {
  program
    .command('replay')
    .description('decide again, offline, what a decision receipt tells; exits 1 and names where the answer differs')
    .argument('<receipt>', 'the receipt (JWS), or the answer of GET /v1/decisions/{id}/receipt', userPath)
    .requiredOption('--policy <file>', 'the policy document it was decided under', userPath)
    .option(
      '--key <file>',
      'public keys you trust (JWK set), received on another way (default: TALLYSTICK_HOME/keys/receipt.jwks.json)',
      userPath,
    )
    .option(
      '--log-key <file>',
      'the log’s public keys you trust, for a receipt with its proof (default: TALLYSTICK_HOME/log/vkey)',
      userPath,
    )
    .action(async (file: string, options: ReplayOptions) => {
      try {
        for (const line of await replay(file, options)) console.log(printable(line));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        console.error(`NOT REPLAYED (${error.code})\n${printable(error.detail)}`);
        process.exitCode = 1;
      }
    });
}

async function replay(file: string, options: ReplayOptions): Promise<string[]> {
  const trusted = readTrusted(options.key);
  const { receipt, proof, logIndex } = readReceipt(file);
  const { value } = await verifyJws(utf8.encode(receipt), DECISION_RECEIPT_TYP, (kid) => trustedKey(trusted, kid));
  const claims = parseReceiptClaims(value.payload);
  const found = replayReceipt(claims, parseJsonStrict(readBytes(options.policy), 'policy.malformed'), (bytes) =>
    hash('sha256', bytes, 'buffer'),
  );
  if (found.length > 0) process.exitCode = 1;
  return [
    ...story(claims),
    ...(await placeInLog({ proof, logIndex }, claims, options)),
    `signature   verified under key ${value.header.kid} of ${trusted.file}`,
    ...verdict(claims, found, options.policy),
  ];
}

function story({ jti, fact, caller, decidedAt, sub, evaluation, outcome, computedOutcome, reasons }: ReceiptClaims): string[] {
  const { amount, currency, mode, service, score, tier, policy } = evaluation;
  return [
    `receipt     ${jti} (fact ${fact}), decided at ${decidedAt} for ${caller}`,
    `asked       ${mode} ${formatMinor(BigInt(amount), currency)} ${currency} for ${service}, ${sub}`,
    `standing    score ${score.value} (${score.version}), tier ${tier}, ${counted(evaluation.restrictions.length, 'restriction')} in force`,
    `policy      ${policy.id} version ${policy.version}, SHA-256 ${policy.hash}`,
    `answered    ${outcome}${outcome === computedOutcome ? '' : ` (computed ${computedOutcome})`}: ${reasons.map(({ code }) => code).join(', ') || 'no reasons'}`,
  ];
}

function verdict({ fact, limits }: ReceiptClaims, found: readonly Difference[], policyFile: string): string[] {
  if (found.length > 0) {
    return [
      ...found.map(({ at, receipt, replay: again }) => `differs     ${at}: the receipt says ${told(receipt)}, the replay ${told(again)}`),
      `NOT THE SAME ANSWER (${counted(found.length, 'difference')})`,
    ];
  }
  return [
    `checked     input digest, policy hash, commitment, ${counted(limits.length, 'counter')}; decided again with ${policyFile}`,
    `taken       score, restrictions and counters as the receipt states them: that they were so is for ${fact} in the log to prove`,
    'SAME ANSWER',
  ];
}

function told(value: Difference['receipt']): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Where the decision stands in the log, as the door answered. */
interface Place {
  readonly proof?: string | undefined;
  readonly logIndex?: string | undefined;
}

/** The JWS, or the whole answer of the door: receipt and, once it is sealed, proof. */
function readReceipt(file: string): { readonly receipt: string } & Place {
  const text = new TextDecoder().decode(readBytes(file)).trim();
  if (!text.startsWith('{')) return { receipt: text };
  const { receipt, proof, logIndex } = parseJsonStrict(utf8.encode(text), 'receipt.malformed');
  if (typeof receipt !== 'string') throw new Refusal('malformed', 'receipt.malformed', `${file} holds no receipt`);
  const told = logIndex === undefined ? undefined : String(logIndex);
  return { receipt, proof: typeof proof === 'string' ? proof : undefined, logIndex: told };
}

async function placeInLog({ proof, logIndex }: Place, claims: ReceiptClaims, { logKey }: ReplayOptions): Promise<string[]> {
  if (proof === undefined) return [];
  const file = logKey ?? path.join(process.env['TALLYSTICK_HOME'] ?? '.tallystick', 'log', 'vkey');
  const trusted = await parseVkeys(nodeCrypto, new TextDecoder().decode(readBytes(file)));
  return await verifyDecisionProof(proof, claims, trusted, logIndex);
}

/** A receipt never vouches for itself: without keys from elsewhere nothing is verified. */
function readTrusted(named: string | undefined): Trusted {
  const file = named ?? defaultKeyFile();
  if (!existsSync(file)) {
    const hint = 'name the keys you trust with --key <file> (/.well-known/jwks.json of decision-api, received on another way)';
    throw new Refusal('unprocessable', 'key.untrusted', `no trusted keys: there is no file ${file}; ${hint}`);
  }
  const json = parseJsonStrict(readBytes(file), 'key.malformed');
  const keys = Array.isArray(json['keys']) ? (json['keys'] as unknown[]) : [json];
  return { file, keys: keys.map((jwk) => ({ ...parsePublicJwk(jwk), state: 'ACTIVE' })) };
}

function trustedKey({ file, keys }: Trusted, kid: string): VerificationKey {
  const key = keys.find((one) => one.kid === kid);
  if (key) return key;
  throw new Refusal('unauthenticated', 'signature.key_unknown', `${file} holds no key ${kid}, which the receipt names`);
}

function defaultKeyFile(): string {
  const { TALLYSTICK_HOME = '.tallystick', KEYS_DIR = path.join(TALLYSTICK_HOME, 'keys') } = process.env;
  return path.join(KEYS_DIR, 'receipt.jwks.json');
}

function readBytes(file: string): Uint8Array {
  if (!existsSync(file)) throw new Refusal('not_found', 'file.missing', `there is no file ${file}`);
  return readFileSync(file);
}
