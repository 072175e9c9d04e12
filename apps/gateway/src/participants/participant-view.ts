import { challengeLifeMs, heardByAllMs, type ParticipantCertificate, type ParticipantKey } from '#partners';

const DAY_MS = 86_400_000;

export function daysLeft(notAfter: Date, at: Date): number {
  return Math.floor((notAfter.getTime() - at.getTime()) / DAY_MS);
}

export function viewCertificate({ x5t, serial, notAfter, revoked }: ParticipantCertificate, at: Date) {
  const state = revoked ? 'REVOKED' : notAfter < at ? 'EXPIRED' : 'ACTIVE';
  return { 'x5t#S256': x5t, serial, notAfter: notAfter.toISOString(), daysLeft: daysLeft(notAfter, at), state };
}

/** A signing key as its owner sees it, with what to do next while it is not in use. */
export function viewKey({ kid, alg, state, addedAt, changedAt, challenge, notAfter, suspectedSince }: ParticipantKey, at: Date) {
  const plus = (ms: number) => new Date(changedAt.getTime() + ms).toISOString();
  return {
    kid,
    alg,
    state,
    addedAt: addedAt.toISOString(),
    ...(challenge === undefined ? {} : { challenge, challengeExpiresAt: plus(challengeLifeMs) }),
    ...(state === 'PROBED' ? { readyAt: plus(heardByAllMs) } : {}),
    ...(notAfter ? { notAfter: notAfter.toISOString(), daysLeft: daysLeft(notAfter, at) } : {}),
    ...(suspectedSince ? { suspectedSince: suspectedSince.toISOString() } : {}),
  };
}
