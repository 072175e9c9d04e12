import { Refusal } from '#kernel';
import {
  canonicalBytes,
  concatBytes,
  parseBase64Url,
  RECORD_RECEIPT_TYP,
  verifyJwsWithWeb,
  verifyReceipt,
  type Vkey,
  webCrypto,
} from '#evidence/verifier';
import type { PlannedCheck } from './checks.js';
import { placeInLog } from './log-place.js';

/** A receipt as our doors hand it out: with its proof, once there is one. */
export interface ReceiptAnswer {
  readonly receipt: string;
  readonly proof?: string | undefined;
  readonly logIndex?: string | undefined;
}

type Claims = Awaited<ReturnType<typeof verifyReceipt>>;

export const DECISION_RECEIPT_TYP = 'decision-receipt+jwt';
const SIGNED = 'It is signed by a receipt key you trust';

/** What was decided stands in the receipt; that it follows from the policy is for `tallystick replay` to show. */
export function decisionReceiptChecks({ receipt, proof, logIndex }: ReceiptAnswer, trusted: readonly Vkey[]): PlannedCheck[] {
  let claims: Claims;
  return [
    {
      title: SIGNED,
      run: async () => {
        claims = await open(receipt, DECISION_RECEIPT_TYP, trusted);
        const word = (name: string) => text(claims, name);
        return `Decision ${word('jti')}: ${word('outcome')}, decided at ${word('decidedAt')} for ${word('caller')}, as fact ${word('fact')}.`;
      },
    },
    {
      title: 'Its commitment covers what it tells of request, standing and counters',
      run: async () => {
        const commitment = hex(await webCrypto.sha256(committed(claims)));
        if (commitment !== claims['commitment'])
          throw new Refusal('unprocessable', 'receipt.commitment_mismatch', 'salt, evaluation and usage give another commitment');
        return `SHA-256 ${commitment}.`;
      },
    },
    ...placeInLog(proof, trusted, () => ({ fact: text(claims, 'fact'), commitment: text(claims, 'commitment'), logIndex })),
  ];
}

export function recordReceiptChecks({ receipt, proof, logIndex }: ReceiptAnswer, trusted: readonly Vkey[]): PlannedCheck[] {
  let claims: Claims;
  return [
    {
      title: SIGNED,
      run: async () => {
        claims = await open(receipt, RECORD_RECEIPT_TYP, trusted);
        const digest = hex(parseBase64Url(text(claims, 'payload_digest'), 'receipt.malformed'));
        return `Record ${text(claims, 'sub')}, accepted as fact ${text(claims, 'fact')}; SHA-256 of its payload ${digest}.`;
      },
    },
    ...placeInLog(proof, trusted, () => ({ fact: text(claims, 'fact'), logIndex })),
  ];
}

export const receiptKeysOf = (trusted: readonly Vkey[]): Vkey[] => trusted.filter(({ name }) => name.endsWith('/receipt'));

const open = (receipt: string, typ: string, trusted: readonly Vkey[]): Promise<Claims> =>
  verifyReceipt(receipt, typ, receiptKeysOf(trusted), verifyJwsWithWeb);

/** As `committedBytes` of the room decisions: the salt's 16 bytes, then canonical JSON of evaluation and usage. */
function committed(claims: Claims): Uint8Array {
  const salt = text(claims, 'salt').replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(salt)) throw malformed('salt');
  const bytes = Uint8Array.from(salt.match(/../g)!, (pair) => parseInt(pair, 16));
  return concatBytes([bytes, canonicalBytes({ evaluation: claims['evaluation'], usage: claims['usage'] })]);
}

function text(claims: Claims, name: string): string {
  const value = claims[name];
  if (typeof value !== 'string') throw malformed(name);
  return value;
}

const malformed = (name: string) => new Refusal('malformed', 'receipt.malformed', `the receipt has no ${name} as receipts of ours have`);

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
