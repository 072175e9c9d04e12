import type { PolicyDocument } from '../document.js';
import { sanctionsOf } from '../ladder-places.js';
import { type Remark, warning } from './finding.js';

/** Services that a sanction names and the policy does not know: they may belong to a programme, or be misspelt. */
export function ladderServicesUnknown({ ladder, services }: PolicyDocument): Remark[] {
  const known = services.map(({ name }) => name);
  return sanctionsOf(ladder).flatMap(({ sanction, pointer }) =>
    sanction.services.flatMap((name, s) => {
      if (known.includes(name)) return [];
      return [warning('ladder.unknown_service', `${pointer}/services/${s}`, `this policy has no service "${name}"`)];
    }),
  );
}

/** Rungs that no violation comes to: below where the mildest begins, or, without escalation, where none begins. */
export function rungsOutOfReach({ ladder }: PolicyDocument): Remark[] {
  if (!ladder) return [];
  const { rungs, start, escalation } = ladder;
  const starts = Object.values(start);
  const lowest = rungs.findIndex(({ id }) => starts.includes(id));
  return rungs.flatMap(({ id }, r) => {
    const isReached = escalation ? r >= lowest : starts.includes(id);
    return isReached ? [] : [warning('ladder.out_of_reach', `/ladder/rungs/${r}`, `no violation ever comes to the rung "${id}"`)];
  });
}
