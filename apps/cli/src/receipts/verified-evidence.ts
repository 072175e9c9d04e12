import { type EvidenceStep, verifyRecordEvidence, type Vkey } from '#evidence';
import { Refusal } from '#kernel';

/**
 * The evidence of a record (`GET /v1/records/{jti}/evidence`), step by step; the steps that were reached are told through `tell`.
 * Refuses with the code of the step that failed, and `evidence.pending` where a fact is not sealed yet.
 */
export async function verifyEvidence(bytes: Uint8Array, trusted: readonly Vkey[], tell: (line: string) => void): Promise<string[]> {
  const receiptKeys = trusted.filter(({ name }) => name.endsWith('/receipt'));
  const { verified, steps } = await verifyRecordEvidence(bytes, { logKeys: trusted, receiptKeys });
  for (const { step, result, detail } of steps) tell(`${step.padEnd(12)}${result}${detail === undefined ? '' : `: ${detail}`}`);
  if (!verified) throw refusalOf(steps.find(({ result }) => result === 'failed' || result === 'pending')!);
  return ['VERIFIED    the record is its issuer’s, and the log shows that it was accepted as it stands here'];
}

function refusalOf({ step, result, code, detail }: EvidenceStep): Refusal {
  if (result === 'pending')
    return new Refusal('conflict', 'evidence.pending', `step ${step}: ${detail}; ask for the evidence again in some seconds`);
  return new Refusal('unprocessable', code!, `step ${step}: ${detail}`);
}
