import type { EventKind } from '#contract';
import type { Fact } from '#kernel';
import { expireKey, isUsable, readyKey } from './change-key.js';
import { changeState, suspensionDue } from './change-state.js';
import {
  changed,
  type Participant,
  type ParticipantCertificate,
  type ParticipantChange,
  participantFact,
  type ParticipantKey,
  type ParticipantNotice,
} from './participant.js';

/** Expiry is announced this many days ahead (CONTRACT.md §1). */
export const EXPIRY_STEPS_DAYS = [30, 14, 7, 1] as const;
/** After this time every process has heard of a change, or refuses to answer at all. */
export const heardByAllMs = 10_000;
const DAY_MS = 86_400_000;

/** What time alone does to a participant, one step after the other; undefined where nothing is due. */
export function passTime(known: Participant, at: Date): ParticipantChange | undefined {
  const changes: ParticipantChange[] = [];
  let now = known;
  for (const step of STEPS) {
    for (let change = step(now, at); change; change = step(now, at)) {
      changes.push(change);
      now = change.next;
    }
  }
  const [first, ...rest] = changes;
  if (!first) return undefined;
  return {
    next: now,
    facts: [...first.facts, ...rest.flatMap(({ facts }) => facts)],
    notices: changes.flatMap(({ notices }) => notices ?? []),
  };
}

/** Each changes one thing that is due, and finds nothing once nothing is. */
const STEPS: readonly ((known: Participant, at: Date) => ParticipantChange | undefined)[] = [
  suspendDue,
  readyProbed,
  retireExpired,
  announceCertificate,
  announceKeyEnd,
];

function suspendDue(known: Participant, at: Date): ParticipantChange | undefined {
  return suspensionDue(known, at) ? changeState(known, 'SUSPENDED', known.suspension!.reason, 'schedule', at) : undefined;
}

function readyProbed(known: Participant, at: Date): ParticipantChange | undefined {
  const probed = known.keys.find(({ state, changedAt }) => state === 'PROBED' && at.getTime() - changedAt.getTime() >= heardByAllMs);
  return probed && readyKey(known, probed.kid, at);
}

function retireExpired(known: Participant, at: Date): ParticipantChange | undefined {
  const expired = known.keys.find((key) => isUsable(key) && key.notAfter !== undefined && key.notAfter <= at);
  return expired && expireKey(known, expired.kid, at);
}

function announceCertificate(known: Participant, at: Date): ParticipantChange | undefined {
  const due = listens(known) ? known.certificates.find((certificate) => !certificate.revoked && dueStep(certificate, at)) : undefined;
  if (!due) return undefined;
  const days = dueStep(due, at)!;
  const certificates = known.certificates.map((one): ParticipantCertificate => (one === due ? { ...due, announcedDays: days } : one));
  const about = { 'x5t#S256': due.x5t, serial: due.serial, notAfter: due.notAfter.toISOString(), days };
  return announced(changed(known, at, { certificates }), 'certificate.expiring', about);
}

function announceKeyEnd(known: Participant, at: Date): ParticipantChange | undefined {
  const due = listens(known) ? known.keys.find((key) => isUsable(key) && dueStep(key, at)) : undefined;
  if (!due) return undefined;
  const days = dueStep(due, at)!;
  const keys = known.keys.map((one): ParticipantKey => (one === due ? { ...due, announcedDays: days } : one));
  return announced(changed(known, at, { keys }), 'key.expiring', { kid: due.kid, notAfter: due.notAfter!.toISOString(), days });
}

/**
 * The step to announce now, if there is one. Steps only ever go down: one that was passed over is not announced afterwards, and a clock that
 * was set back announces nothing a second time.
 */
export function dueStep({ notAfter, announcedDays }: { notAfter?: Date; announcedDays?: number }, at: Date): number | undefined {
  if (notAfter === undefined || notAfter <= at) return undefined;
  const daysLeft = (notAfter.getTime() - at.getTime()) / DAY_MS;
  const step = EXPIRY_STEPS_DAYS.findLast((days) => daysLeft <= days);
  return step !== undefined && step < (announcedDays ?? Number.POSITIVE_INFINITY) ? step : undefined;
}

function listens({ state }: Participant): boolean {
  return state === 'ENROLLED' || state === 'ACTIVE' || state === 'SUSPENDED';
}

function announced(next: Participant, kind: EventKind, body: Fact['body'] & ParticipantNotice['body']): ParticipantChange {
  const fact = participantFact(next.id, `participant.${kind.replace('.', '_')}`, body);
  return { next, facts: [fact], notices: [{ fact, kind, body }] };
}
