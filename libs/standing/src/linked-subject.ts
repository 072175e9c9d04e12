import type { Link } from '#consents';
import { Refusal } from '#kernel';
import type { RecordIdentity } from '#records';
import type { HeldSubject } from './store.js';

export interface LinkedSubject extends HeldSubject {
  readonly link: Link;
}

/** The subject by the link that a record names. Another participant's link is as unknown as one that does not exist: 404 `link.unknown`. */
export function linked(held: HeldSubject | undefined, { iss, ref }: Pick<RecordIdentity, 'iss' | 'ref'>): LinkedSubject {
  const link = held?.links.find((one) => one.ref.uuid === ref.uuid);
  if (held && link?.participant === iss) return { ...held, link };
  throw linkUnknown();
}

export function linkUnknown(): Refusal {
  return new Refusal('not_found', 'link.unknown', 'you have no link of this reference', { field: '/sub' });
}
