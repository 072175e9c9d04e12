import type { Refusal } from '#kernel';

const STEPS = ['form', 'coverage', 'time', 'key', 'signature', 'digest', 'nonce'] as const;

export interface SignatureStep {
  readonly step: (typeof STEPS)[number];
  readonly result: 'passed' | 'failed' | 'not reached';
  readonly code?: string;
  readonly detail?: string;
}

/** Which step each refusal stops at; `signature.missing` and `signature.malformed` stop at the form. */
const STOPS_AT: Readonly<Record<string, SignatureStep['step']>> = {
  'signature.component_missing': 'coverage',
  'signature.expired': 'time',
  'signature.key_unknown': 'key',
  'signature.key_retired': 'key',
  'signature.key_compromised': 'key',
  'signature.algorithm_refused': 'key',
  'signature.invalid': 'signature',
  'digest.mismatch': 'digest',
  'nonce.replayed': 'nonce',
};

/** How far the verification of a signed request came: for whoever builds the sender. */
export function explainSteps(refusal: Refusal | undefined): readonly SignatureStep[] {
  const stop = refusal ? STEPS.indexOf(STOPS_AT[refusal.code] ?? 'form') : STEPS.length;
  return STEPS.map((step, i) => {
    if (i !== stop) return { step, result: i < stop ? 'passed' : 'not reached' };
    return { step, result: 'failed', code: refusal!.code, detail: refusal!.detail };
  });
}
