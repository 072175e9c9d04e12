import { z } from 'zod';
import { at, count, fact, jwk, jws, next, text } from './forms.js';

const certificate = z.object({ 'x5t#S256': text, serial: text, notAfter: at, daysLeft: z.int() });

export const key = z.object({
  kid: text,
  alg: text,
  addedAt: at,
  state: z.enum(['ANNOUNCED', 'PROBED', 'READY', 'ACTIVE', 'RETIRED', 'COMPROMISED']),
  challenge: text.optional().describe('ANNOUNCED: sign { challenge } with this key'),
  challengeExpiresAt: at.optional(),
  readyAt: at.optional().describe('PROBED: from then on every process knows it'),
  notAfter: at.optional(),
  daysLeft: z.int().optional(),
  suspectedSince: at.optional().describe('COMPROMISED'),
});

const gatewayKey = z.object({ kid: text, use: text, state: z.enum(['ACTIVE', 'ANNOUNCED', 'PROVED', 'REPLACED']) });
export const gatewayKeys = z.object({ keys: z.array(gatewayKey) });
export const keyCheck = z.object({ check: text, tokens: z.array(jws) });

export const participant = z.object({
  id: text,
  name: text,
  state: z.enum(['INVITED', 'ENROLLED', 'ACTIVE', 'SUSPENDED', 'CLOSED']),
  missing: z.array(z.object({ code: text, what: text, next: text })).describe('what keeps you from working, now or soon; empty: nothing'),
  certificate: certificate.describe('of this connection'),
  certificates: z.array(certificate.extend({ state: z.enum(['ACTIVE', 'EXPIRED', 'REVOKED']) })),
  keys: z.array(key),
  gatewayKeys: z.array(gatewayKey),
  addresses: z.array(text).describe('from where you may call; empty: from anywhere'),
  lastSeq: z.int().nullable(),
  gaps: z.array(z.object({ from: z.int(), to: z.int() })).describe('`seq` numbers not used among the latest, newest first'),
  quotas: z.record(z.string(), count),
});

export const certificateRequest = z.object({
  id: text,
  participant: text,
  requestedAt: at,
  next: text,
  state: z.enum(['REQUESTED', 'ISSUED', 'REFUSED']),
  decidedAt: at.optional(),
  certificate: text.optional().describe('ISSUED: the leaf, then its authority, PEM'),
  refused: z.object({ code: text, detail: text }).optional(),
});

export const suspectRecords = z.object({
  kid: text,
  suspectedSince: at,
  records: z.array(z.object({ jti: text, kind: text, seq: z.int(), acceptedAt: at, fact })),
  next,
});

const step = z.object({ step: text, result: z.enum(['passed', 'failed', 'not reached']), code: text.optional(), detail: text.optional() });

export const echo = z.object({
  accepted: z.boolean(),
  header: z.record(z.string(), z.unknown()).optional().describe('of the JWS, once it could be read'),
  steps: z.array(step),
  request: z.object({
    accepted: z.boolean(),
    steps: z.array(step),
    signatureBase: text.optional().describe('what we verified the signature over: compare it with yours'),
    contentDigest: text.optional().describe('of the body as we received it'),
  }),
});

export const jwks = z.object({ keys: z.array(jwk) });
export const issuerMetadata = z.object({ issuer: z.url(), jwks_uri: z.url() });
