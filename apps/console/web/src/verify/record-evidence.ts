import { type EvidenceStep, verifyRecordEvidenceWithWeb, type Vkey } from '#evidence/verifier';
import type { Check } from './checks.js';
import { receiptKeysOf } from './receipts.js';

const TITLES: Readonly<Record<EvidenceStep['step'], string>> = {
  form: 'It has the form of record evidence',
  signature: 'The record is signed with the issuer’s key',
  sealed: 'The line stands under the signed root of its batch',
  receipt: 'The receipt is about this record, signed by a receipt key you trust',
  commitment: 'The log entry commits to exactly these bytes',
  inclusion: 'The entry stands in the log, under a checkpoint signed by a log you trust',
  key: 'The log shows whose key it was, and that it was good then',
  certificate: 'The issuer’s certificate is the one that was presented',
  revocation: 'Its authority had not revoked that certificate then',
};

const RESULTS: Readonly<Record<EvidenceStep['result'], Check['result']>> = {
  passed: 'holds',
  failed: 'fails',
  pending: 'waits',
  'not shown': 'not shown',
  'not reached': 'not reached',
};

/** The evidence of a record, step by step; what a browser cannot show, `tallystick verify` does. */
export async function checkRecordEvidence(bytes: Uint8Array, trusted: readonly Vkey[]): Promise<Check[]> {
  const { steps } = await verifyRecordEvidenceWithWeb(bytes, { logKeys: trusted, receiptKeys: receiptKeysOf(trusted) });
  return steps
    .filter(({ step, result }) => step !== 'sealed' || result !== 'not reached')
    .map(({ step, result, ...said }) => ({ title: TITLES[step], result: RESULTS[result], ...said }));
}
