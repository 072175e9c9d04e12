import { Refusal } from '#kernel';
import {
  parseBase64Url,
  parseJsonStrict,
  parseUtf8,
  type RandomReader,
  RECORD_RECEIPT_TYP,
  recordEvidenceBytesMax,
  utf8,
  type Vkey,
} from '#evidence/verifier';
import { runChecks, type Verdict } from './checks.js';
import { checkExport } from './exports.js';
import { placeInLog } from './log-place.js';
import { checkRecordEvidence } from './record-evidence.js';
import { DECISION_RECEIPT_TYP, decisionReceiptChecks, type ReceiptAnswer, recordReceiptChecks } from './receipts.js';

const TAR_MAGIC_AT = 257;

/** Each kind of receipt, by the `typ` that it says it has; its signature is checked for that kind. */
const RECEIPTS: Readonly<Record<string, readonly [what: string, checks: typeof decisionReceiptChecks, beyond?: string]>> = {
  [DECISION_RECEIPT_TYP]: [
    'a decision receipt',
    decisionReceiptChecks,
    'That the answer follows from the policy, tallystick replay shows.',
  ],
  [RECORD_RECEIPT_TYP]: ['a record receipt', recordReceiptChecks],
};

/**
 * Verifies what `tallystick verify` takes, here, from its bytes and the trusted keys alone. Refuses 400 `file.empty`, `file.unknown`, `receipt.malformed`
 * and 422 `file.other_tool` for what cannot be verified at all; whatever is wrong with the rest is a check that fails.
 */
export async function verifyDocument(reader: RandomReader, trusted: readonly Vkey[]): Promise<Verdict> {
  if (await isArchive(reader)) return { what: 'an export', checks: await checkExport(reader, trusted) };
  if (reader.size > recordEvidenceBytesMax) throw unknownForm();
  const received = parseUtf8(await reader.read(0, reader.size), 'file.unknown');
  // A pasted text ends as the pasting left it, and its lines as the machine ends them.
  const text = `${received.replaceAll('\r\n', '\n').trim()}\n`;
  if (text === '\n') throw new Refusal('malformed', 'file.empty', 'there is nothing in it');
  if (text.startsWith('c2sp.org/tlog-proof@'))
    return { what: 'a proof of one log entry', checks: await runChecks(placeInLog(text, trusted, () => undefined)) };
  if (text.startsWith('{')) return await verifyObject(utf8.encode(text), trusted);
  if (text.startsWith('eyJ')) return await verifyReceiptAnswer({ receipt: text.trim() }, trusted);
  throw unknownForm();
}

async function verifyObject(bytes: Uint8Array, trusted: readonly Vkey[]): Promise<Verdict> {
  const said = parseJsonStrict(bytes, 'file.unknown');
  if (typeof said['record'] === 'object') return { what: 'the evidence of a record', checks: await checkRecordEvidence(bytes, trusted) };
  if (typeof said['gateway'] === 'string' && typeof said['participant'] === 'string')
    throw new Refusal('unprocessable', 'file.other_tool', 'this is a statement about a set of records: tallystick verify checks those');
  const { receipt, proof, logIndex } = said;
  if (typeof receipt !== 'string') throw unknownForm();
  const place = { proof: typeof proof === 'string' ? proof : undefined, logIndex: logIndex === undefined ? undefined : String(logIndex) };
  return await verifyReceiptAnswer({ receipt, ...place }, trusted);
}

async function verifyReceiptAnswer(answer: ReceiptAnswer, trusted: readonly Vkey[]): Promise<Verdict> {
  const [header = ''] = answer.receipt.split('.');
  const typ = parseJsonStrict(parseBase64Url(header, 'receipt.malformed'), 'receipt.malformed')['typ'];
  const known = typeof typ === 'string' && Object.hasOwn(RECEIPTS, typ) ? RECEIPTS[typ] : undefined;
  if (!known)
    throw new Refusal('malformed', 'file.unknown', `this is signed, but no receipt: it says it is ${JSON.stringify(typ ?? null)}`);
  const [what, checks, beyond] = known;
  return { what, checks: await runChecks(checks(answer, trusted)), ...(beyond === undefined ? {} : { beyond }) };
}

async function isArchive(reader: RandomReader): Promise<boolean> {
  if (reader.size < TAR_MAGIC_AT + 5) return false;
  return new TextDecoder().decode(await reader.read(TAR_MAGIC_AT, 5)) === 'ustar';
}

const unknownForm = () => new Refusal('malformed', 'file.unknown', 'this is no receipt, no evidence of a record, no proof and no export');
