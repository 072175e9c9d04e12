import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { printable } from '#contract';
import {
  decodeBase64Url,
  nodeCrypto,
  parseJsonStrict,
  parseLogEntry,
  parseTlogProof,
  parseVkeys,
  type RandomReader,
  readBundleKeys,
  RECORD_RECEIPT_TYP,
  recordEvidenceBytesMax,
  toBase64,
  underReceiptKeys,
  utf8,
  verifyBundle,
  verifyJws,
  verifyReceipt,
  verifyTlogProof,
  type Vkey,
} from '#evidence';
import { DECISION_RECEIPT_TYP, parseReceiptClaims } from '#decisions';
import { Refusal } from '#kernel';
import { openFile } from '#audit/adapters/fs-reader';
import { requireIndex, verifyDecisionProof } from '../receipts/proven-decision.js';
import { isSetAgreement, verifySetStatement } from '../receipts/set-agreement.js';
import { verifyEvidence } from '../receipts/verified-evidence.js';
import { userPath } from '../user-path.js';

interface VerifyOptions {
  readonly key?: string;
  readonly origin?: string;
  readonly trustBundleKey?: boolean;
}

const TAR_MAGIC_AT = 257;
const smallFileBytesMax = recordEvidenceBytesMax;

/** `tallystick verify`: reads the file and the trusted keys, and nothing else: no network, no database. */
export function register(program: Command): void {
  program
    .command('verify')
    .description('check an export, the evidence of a record, a .tlog-proof or a receipt offline; exits 1 and names what is wrong')
    .argument('<file>', 'export bundle, answer of GET …/evidence or …/receipt, .tlog-proof or receipt (JWS)', userPath)
    .option('--key <file>', 'public keys you trust, received on another way (default: TALLYSTICK_HOME/log/vkey)', userPath)
    .option('--origin <name>', 'the log that must have signed')
    .option('--trust-bundle-key', 'believe the keys inside the bundle: shows damage, proves nothing about who made it')
    .action(async (file: string, options: VerifyOptions) => {
      try {
        for (const line of await verifyFile(file, options)) print(line);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        console.error(`NOT VERIFIED (${error.code})\n${printable(error.detail)}`);
        process.exitCode = 1;
      }
    });
}

/** The file is a stranger's: its words do not reach the terminal as commands. */
function print(line: string): void {
  console.log(printable(line));
}

async function verifyFile(file: string, options: VerifyOptions): Promise<string[]> {
  if (!existsSync(file)) throw new Refusal('not_found', 'file.missing', `there is no file ${file}`);
  const reader = await openFile(file);
  try {
    const isBundle = reader.size > TAR_MAGIC_AT + 5 && asText(await reader.read(TAR_MAGIC_AT, 5)) === 'ustar';
    if (isBundle) return await verifyExport(reader, options);
    if (reader.size > smallFileBytesMax) throw unknownForm();
    const bytes = await reader.read(0, reader.size);
    const trusted = await trustedKeys(options);
    const text = asText(bytes);
    if (text.startsWith('c2sp.org/tlog-proof@')) return await verifyProof(bytes, trusted);
    if (isSetAgreement(text)) return await underReceiptKeys(receiptKeys(trusted), (findKey) => verifySetStatement(bytes, findKey));
    if (isRecordEvidence(text)) return await verifyEvidence(bytes, trusted, print);
    if (text.startsWith('{')) return await verifyReceiptAnswer(text, trusted);
    if (text.startsWith('eyJ') && typOf(text.trim()) === DECISION_RECEIPT_TYP) return await verifyDecision(text.trim(), {}, trusted);
    if (text.startsWith('eyJ'))
      return [...(await verifyRecordReceipt(text.trim(), trusted)).lines, 'no inclusion proof in this file: ask for it again'];
    throw unknownForm();
  } finally {
    await reader.close();
  }
}

async function verifyExport(reader: RandomReader, options: VerifyOptions): Promise<string[]> {
  const trusted = options.trustBundleKey ? await keysInside(reader) : await trustedKeys(options);
  const { manifest, checkpoint, start, end, included, excluded } = await verifyBundle(reader, nodeCrypto, trusted);
  requireOrigin(checkpoint.origin, options);
  return [
    `export      ${manifest.export}, requested by ${manifest.requestedBy} at ${manifest.requestedAt}`,
    `filter      ${JSON.stringify(manifest.filter)}`,
    `checked     archive, manifest signature, checkpoint signature, ${included} entries, ${excluded} left out as leaf hashes, range proof`,
    `log         ${checkpoint.origin}, ${checkpoint.size} entries, root ${toBase64(checkpoint.root)}`,
    ...(options.trustBundleKey ? ['WARNING     the keys came from the bundle itself: this proves nothing about who made it'] : []),
    `VERIFIED    entries ${start} to ${end} (excluded) stand in the log exactly as signed; none is missing`,
  ];
}

async function keysInside(reader: RandomReader): Promise<Vkey[]> {
  const keys = await readBundleKeys(reader);
  return parseVkeys(nodeCrypto, `${keys.log}\n${keys.export}\n`);
}

async function verifyProof(bytes: Uint8Array, trusted: readonly Vkey[]): Promise<string[]> {
  const proof = parseTlogProof(bytes);
  if (!proof.extra)
    throw new Refusal('unprocessable', 'tlog_proof.no_entry', 'the proof does not carry its entry, so there is nothing to check it for');
  const { origin, size } = await verifyTlogProof(nodeCrypto, proof, proof.extra, trusted);
  const { factId, kind, at } = parseLogEntry(proof.extra);
  return [`entry       ${proof.index} (fact ${factId}): ${kind} at ${at}`, `VERIFIED    it stands in the log ${origin} of ${size} entries`];
}

/** The answer of `GET /v1/records/{jti}/receipt`: the receipt and, once it is sealed, the proof of its fact. */
async function verifyReceiptAnswer(text: string, trusted: readonly Vkey[]): Promise<string[]> {
  const { receipt, proof, logIndex } = parseAnswer(text);
  if (receipt === undefined) throw unknownForm();
  if (typOf(receipt) === DECISION_RECEIPT_TYP) return await verifyDecision(receipt, { proof, logIndex }, trusted);
  const { fact, lines } = await verifyRecordReceipt(receipt, trusted);
  if (proof === undefined) return [...lines, 'no inclusion proof in this answer yet: ask again'];
  const { extra, index } = parseTlogProof(utf8.encode(proof));
  if (!extra || parseLogEntry(extra).factId !== fact) {
    throw new Refusal('unprocessable', 'receipt.other_fact', `the proof is not about ${fact}, the fact that the receipt names`);
  }
  requireIndex(logIndex, index);
  return [...lines, ...(await verifyProof(utf8.encode(proof), trusted))];
}

/** What was decided stands in the receipt; that it follows from the policy is for `tallystick replay` to show. */
async function verifyDecision(
  jws: string,
  { proof, logIndex }: Omit<ReceiptAnswer, 'receipt'>,
  trusted: readonly Vkey[],
): Promise<string[]> {
  const claims = parseReceiptClaims(await verifyReceipt(jws, DECISION_RECEIPT_TYP, receiptKeys(trusted), verifyJws));
  const story = `receipt     decision ${claims.jti}: ${claims.outcome}, decided at ${claims.decidedAt} for ${claims.caller} as fact ${claims.fact}`;
  if (proof === undefined) return [story, 'no inclusion proof here yet: ask again'];
  return [
    story,
    ...(await verifyDecisionProof(proof, claims, trusted, logIndex)),
    'VERIFIED    the decision stands in the log as the receipt tells it',
  ];
}

/** Which kind of receipt this says it is; its signature is checked for that kind. */
function typOf(jws: string): unknown {
  const [header = ''] = jws.split('.');
  return parseJsonStrict(decodeBase64Url(header, 'header'), 'receipt.malformed')['typ'];
}

const receiptKeys = (trusted: readonly Vkey[]): Vkey[] => trusted.filter(({ name }) => name.endsWith('/receipt'));

async function verifyRecordReceipt(jws: string, trusted: readonly Vkey[]): Promise<{ fact: string; lines: string[] }> {
  const { sub, fact, payload_digest: digest, iat } = await verifyReceipt(jws, RECORD_RECEIPT_TYP, receiptKeys(trusted), verifyJws);
  if (typeof fact !== 'string' || typeof sub !== 'string' || typeof digest !== 'string') throw unknownForm();
  const hex = Buffer.from(decodeBase64Url(digest, 'payload_digest')).toString('hex');
  const at = new Date(Number(iat) * 1000).toISOString();
  return { fact, lines: [`receipt     record ${sub}, accepted at ${at} as fact ${fact}`, `record      SHA-256 of its payload ${hex}`] };
}

/** What our doors answer; what is no text there is not taken. */
type ReceiptAnswer = Readonly<Partial<Record<'receipt' | 'proof' | 'logIndex', string | undefined>>>;

function parseAnswer(text: string): ReceiptAnswer {
  try {
    const said = JSON.parse(text) as Record<string, unknown>;
    const textOf = (name: string) => (said[name] === undefined ? undefined : String(said[name]));
    return { receipt: textOf('receipt'), proof: textOf('proof'), logIndex: textOf('logIndex') };
  } catch {
    throw unknownForm();
  }
}

/** A file never vouches for itself: without keys from elsewhere nothing is verified. */
async function trustedKeys(options: VerifyOptions): Promise<Vkey[]> {
  const file = options.key ?? path.join(process.env['TALLYSTICK_HOME'] ?? '.tallystick', 'log', 'vkey');
  if (!existsSync(file)) {
    const hint = 'name the keys you trust with --key <file> (the log/vkey file of the installation, received on another way)';
    throw new Refusal('unprocessable', 'key.untrusted', `no trusted keys: there is no file ${file}; ${hint}`);
  }
  const keys = await parseVkeys(nodeCrypto, readFileSync(file, 'utf8'));
  return options.origin === undefined ? keys : keys.filter(({ name }) => name === options.origin || name.startsWith(`${options.origin}/`));
}

function requireOrigin(origin: string, options: VerifyOptions): void {
  if (options.origin !== undefined && options.origin !== origin) {
    throw new Refusal('unprocessable', 'checkpoint.untrusted', `the log is ${origin}, not ${options.origin}`);
  }
}

/** Evidence holds its record; no other document that we give out does. What it is worth, its own steps say. */
const isRecordEvidence = (text: string): boolean => text.startsWith('{') && /"record"\s*:\s*\{/.test(text);

const asText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const unknownForm = () => new Refusal('malformed', 'file.unknown', 'this is no export bundle, no evidence, no .tlog-proof and no receipt');
