import { z } from 'zod';
import { at, count, fact, jwk, jws, text } from './forms.js';

export const receipt = z.object({ receipt: jws });

export const sealedReceipt = receipt.extend({
  fact,
  logIndex: text.optional().describe('once the fact is sealed (10 s): its index in the log'),
  proof: text.optional().describe('and its inclusion proof, as .tlog-proof'),
});

export const record = z.object({
  iss: text,
  jti: text,
  seq: z.int(),
  kind: text,
  sub: text,
  names: text.optional().describe('the jti that this one corrects, withdraws or clears'),
  issuedAt: at,
  acceptedAt: at,
  fact,
  payloadDigest: text.describe('SHA-256 of the payload bytes, base64url'),
  jws: jws.optional(),
  payload: text.optional().describe('of a line of a sealed batch: its exact bytes, base64url'),
  suspect: z.object({ kid: text, since: at }).optional().describe('signed with a key that was reported compromised'),
});

const factEvidence = z.record(z.string(), z.unknown());

export const evidence = z.object({
  v: z.literal(1),
  record: z.object({
    received: text.describe('the exact bytes, base64url'),
    sealed: z.object({ manifest: jws, index: count, path: z.array(text) }).optional(),
  }),
  key: z.object({ kid: text, alg: text, jwk, thumbprint: text, stateAtReceipt: text, facts: z.array(factEvidence) }),
  certificate: z
    .object({
      'x5t#S256': text,
      serial: text,
      chain: text,
      facts: z.array(factEvidence),
      revocation: z.object({ list: text, checked: factEvidence }).optional(),
    })
    .optional(),
  receipt: jws,
  fact: factEvidence,
});

const fault = z.object({ line: count, code: text, detail: text, field: text.optional() });

export const batch = z.object({
  id: text,
  state: z.enum(['RECEIVED', 'PROCESSING', 'DONE', 'FAILED']),
  sha256: text.describe('of the lines without coding, hex'),
  receivedAt: at,
  finishedAt: at.optional(),
  lines: z.object({ total: count, done: count, accepted: count, repeated: count, refused: count }),
  faults: z
    .object({ count, first: z.array(fault) })
    .optional()
    .describe('of a sealed batch: lines that will be refused for what they are'),
  failure: z.object({ code: text, detail: text }).optional().describe('why it is FAILED, and what to do'),
});

export const lineOutcome = z.object({
  line: count,
  outcome: z.enum(['ACCEPTED', 'REPEATED', 'REFUSED']),
  jti: text.optional(),
  receipt: jws.optional(),
  code: text.optional(),
  detail: text.optional(),
  field: text.optional(),
});

export const schemas = z.object({ version: text, schemas: z.array(z.object({ kind: text, href: text, sha256: text })) });

export const snapshot = z.object({ set: text, logIndex: text, before: z.int().optional(), count });

export const recordsById = z.object({
  records: z.array(z.object({ id: text, jti: text, jws: jws.optional(), payload: text.optional() })),
  unknown: z.array(text),
});

export const setStatement = z.object({
  set: text,
  logIndex: text,
  before: z.int().optional(),
  count,
  root: text,
  agreedAt: at,
  fact,
  participant: jws.describe('your half'),
  gateway: jws.describe('our half'),
  key: jwk.describe('with which yours verifies'),
});

export const setStatements = z.object({ statements: z.array(setStatement) });

const money = { amount: text, currency: text };

const outcome = z.object({
  n: count,
  type: text.describe('MATCHED, or what the break is'),
  reference: text.nullable(),
  reason: text,
  identifiedBy: text.optional(),
  theirs: z.object({ ...money, direction: text, fileLine: count, bookedOn: text.optional() }).optional(),
  ours: z.object({ ...money, confirmedAt: at }).optional(),
});

export const reconciliation = z.object({
  id: text,
  state: z.enum(['RECEIVED', 'PARSED', 'MATCHING', 'BALANCED', 'BROKEN']),
  receivedAt: at,
  closedAt: at.optional(),
  file: z.object({ digest: text, sizeBytes: count, entries: count }),
  progress: z.object({ linesTotal: count, linesRead: count, linesMatched: count }),
  counts: z.record(z.string(), count),
  statements: z.array(
    z.object({ id: text, account: text.optional(), controlTotals: z.object({ balanced: z.boolean().nullable(), reason: text }) }),
  ),
});

export const reconciliationPages = reconciliation.extend({
  breaks: z.array(outcome),
  matches: z.array(outcome),
  next: z.object({ breaksAfter: count.optional(), matchesAfter: count.optional() }).optional(),
});
