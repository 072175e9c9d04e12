import { z } from 'zod';
import { consentArtefactClaims, consentRequestSchema, DISPUTE_STATES, disputeAnswerRequest } from '#contract';
import { at, count, jws, next, text } from './forms.js';

const { consent: artefact } = consentArtefactClaims.shape;
const { purpose, claims, threshold, fetch, dataLifeSeconds } = consentRequestSchema.shape;

export const consent = z.object({
  id: text,
  sub: text,
  state: artefact.shape.state,
  version: z.int(),
  by: artefact.shape.by,
  purpose,
  claims,
  threshold,
  fetch,
  dataLifeSeconds,
  notBefore: at,
  expiresAt: at,
  requestedAt: at,
  changedAt: at,
  uses: count,
  artefact: jws,
});

export const consents = z.object({ consents: z.array(consent), next });

export const consentVersions = z.object({
  id: text,
  versions: z.array(z.object({ version: z.int(), happened: text, at, artefact: jws })),
  next,
});

const use = z.object({ n: z.int(), version: z.int(), purpose, claims, threshold, at, keepUntil: at });
export const consentUses = z.object({ id: text, uses: z.array(use), next });

export const thresholdAnswer = z.object({ answer: z.enum(['Y', 'N', 'NA']) });

export const dispute = z.object({
  id: text,
  sub: text,
  record: text,
  kind: text,
  code: text,
  openedBy: z.enum(['SUBJECT', 'FURNISHER']),
  statementDigest: text.optional().describe('SHA-256 of what the subject said, hex'),
  added: z.object({ statementDigest: text, at }).optional(),
  state: z.enum(DISPUTE_STATES),
  openedAt: at,
  noticeBy: at,
  dueAt: at,
  overdue: z.boolean().optional(),
  nextClock: z.object({ clock: text, at }).optional(),
  rung: z.array(text).optional().describe('clocks that have rung'),
  answeredAt: at.optional(),
  closedAt: at.optional(),
  resultBy: at.optional(),
  answer: disputeAnswerRequest.optional(),
  outcome: z.enum(['VERIFIED', 'CORRECTED', 'WITHDRAWN', 'SILENT']).optional(),
});

export const disputes = z.object({ disputes: z.array(dispute), next });
