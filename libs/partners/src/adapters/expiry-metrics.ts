import { Gauge } from 'prom-client';
import type { Clock } from '#kernel';
import { isUsable } from '../change-key.js';
import type { Participant } from '../participant.js';
import type { ParticipantRegistry } from '../participant-registry.js';

const DAY_MS = 86_400_000;

let watched: { registry: ParticipantRegistry; clock: Clock } | undefined;

new Gauge({
  name: 'tallystick_partner_expiry_days',
  help: 'days until a partner’s certificate or signing key ends; negative once it has',
  labelNames: ['participant', 'what', 'id'],
  collect() {
    this.reset();
    if (!watched) return;
    const { registry, clock } = watched;
    for (const { participant, what, id, notAfter } of endings(registry.listAsSeen())) {
      this.set({ participant, what, id }, (notAfter.getTime() - clock.now().getTime()) / DAY_MS);
    }
  },
});

/** Shows at /metrics how long each certificate and key still lasts, read from the registry when it is asked. */
export function watchExpiry(registry: ParticipantRegistry, clock: Clock): void {
  watched = { registry, clock };
}

function endings(participants: readonly Participant[]) {
  return participants
    .filter(({ state }) => state !== 'CLOSED')
    .flatMap(({ id: participant, certificates, keys }) => [
      ...certificates
        .filter(({ revoked }) => !revoked)
        .map(({ serial, notAfter }) => ({ participant, what: 'certificate', id: serial, notAfter })),
      ...keys.filter(isUsable).flatMap(({ kid, notAfter }) => (notAfter ? [{ participant, what: 'key', id: kid, notAfter }] : [])),
    ]);
}
