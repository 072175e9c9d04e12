import { Refusal } from '#kernel';
import { parseCompactJws } from './compact-jws.js';
import type { JsonObject } from './strict-json.js';
import { type FindKey, verifyJws } from './verify-jws.js';

export interface JwsStep {
  readonly step: 'form' | 'header' | 'key' | 'signature' | 'payload';
  readonly result: 'passed' | 'failed' | 'not reached';
  readonly code?: string;
  readonly detail?: string;
}

export interface JwsExplanation {
  readonly accepted: boolean;
  readonly header?: JsonObject;
  readonly steps: readonly JwsStep[];
}

const STEPS = ['form', 'header', 'key', 'signature', 'payload'] as const;
type Step = (typeof STEPS)[number];

/** Which step a refusal stops at. Malformed is the form before the signature is checked, the payload after. */
const STOPS_AT: Readonly<Record<string, Step>> = {
  'signature.header_refused': 'header',
  'signature.algorithm_refused': 'header',
  'signature.key_unknown': 'key',
  'signature.key_retired': 'key',
  'signature.key_compromised': 'key',
  'signature.invalid': 'signature',
};

/** Tries a JWS exactly as `verifyJws` would and says how far it came: for whoever builds the sender. */
export async function explainJws(received: Uint8Array, typ: string, findKey: FindKey): Promise<JwsExplanation> {
  const header = readHeader(received);
  const refusal = await refusalOf(received, typ, findKey);
  const stop = refusal && STEPS.indexOf(STOPS_AT[refusal.code] ?? (header ? lateStep(refusal) : 'form'));
  const steps = STEPS.map((step, i): JwsStep => {
    if (stop === undefined || i < stop) return { step, result: 'passed' };
    return i > stop ? { step, result: 'not reached' } : { step, result: 'failed', code: refusal!.code, detail: refusal!.detail };
  });
  return { accepted: refusal === undefined, ...(header && { header }), steps };
}

function lateStep(refusal: Refusal): Step {
  return refusal.code === 'signature.missing' ? 'signature' : 'payload';
}

function readHeader(received: Uint8Array): JsonObject | undefined {
  try {
    return parseCompactJws(received).header;
  } catch {
    return undefined;
  }
}

async function refusalOf(received: Uint8Array, typ: string, findKey: FindKey): Promise<Refusal | undefined> {
  try {
    await verifyJws(received, typ, findKey);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
