import { type ConsentChange, consentFact, type ConsentVersion } from '#consents';
import { formatId } from '#kernel';
import { type Happening, placeEvents } from '../event.js';
import { type Clerk, commitToJson } from '../notary.js';
import type { Books } from '../store.js';
import { consentContent } from './consent-artefact.js';

/** A change of a consent with what is kept of it and who is told. */
export interface ToldChange {
  readonly happening: Happening;
  readonly version: Omit<ConsentVersion, 'position'>;
}

/** One fact, and one event to the recipient. `via`: the service through which the subject acted, or what of the platform's made it so. */
export function tellConsent(change: ConsentChange, via: string, clerk: Clerk): ToldChange {
  const { consent, happened } = change;
  const content = consentContent(consent);
  const { salt, commitment } = commitToJson(clerk, content);
  const body = {
    consent: formatId('cns', consent.id),
    version: consent.version,
    state: consent.state,
    by: consent.by,
    changedAt: consent.changedAt.toISOString(),
  };
  const notices = [{ participant: consent.participant, ref: consent.link, kind: happened, body }];
  return { happening: { fact: consentFact(change, commitment, via), notices }, version: { ...change, content, salt, via } };
}

/** Appends the facts of held consents that changed, keeps their versions and queues what is told. `first` happened before them. */
export async function saveConsentChanges(
  books: Books,
  changes: readonly ConsentChange[],
  via: string,
  clerk: Clerk,
  first: readonly Happening[] = [],
): Promise<void> {
  const told = changes.map((change) => tellConsent(change, via, clerk));
  const [head, ...rest] = [...first, ...told.map(({ happening }) => happening)];
  if (!head) return;
  const positions = await books.facts.append([head.fact, ...rest.map(({ fact }) => fact)]);
  await books.consentLedger.saveVersions(told.map(({ version }, i) => ({ ...version, position: positions[first.length + i]! })));
  await books.standings.addEvents(placeEvents([head, ...rest], positions, (at) => clerk.uuid(at)));
}
