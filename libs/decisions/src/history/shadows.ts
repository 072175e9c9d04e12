import { Refusal } from '#kernel';
import { parsePolicy, type PolicyBook, policyUnknown } from '#policies';
import type { ShadowStanding, ShadowStore } from './shadow.js';
import { tallyLines } from './report-text.js';
import { Tally } from './tally.js';

/** What is not known and was taken for granted, in words. */
export const SHADOW_NOTES: readonly string[] = [
  'Counters begin as they really stood at a subject’s first decision under the shadow; limits continue by their names, new limits begin empty.',
  'What would have been held and was really denied counts as confirmed in full, at once.',
  'What was really held is confirmed, released, refunded and expires as it did; what would have been denied takes nothing.',
  'Simulations and EVALUATE answers that allowed left no row and are not seen. Decisions of a linked group are judged one by one.',
];

/** Tells what versions in shadow would have answered. */
export class Shadows {
  constructor(
    private readonly store: ShadowStore,
    private readonly book: PolicyBook,
  ) {}

  /** While the shadow lasts and ever after. Refuses 404 `policy.unknown` and 409 `policy.no_shadow`. */
  async report(version: bigint): Promise<ShadowStanding> {
    const found = await this.book.find(version);
    if (!found) throw policyUnknown(version);
    if (!found.shadowedAt) throw new Refusal('conflict', 'policy.no_shadow', `version ${version} was never in shadow`);
    const behind = await this.store.countBehind(version);
    const tally = new Tally();
    for (const { tally: ofShard } of await this.store.cursors(version)) if (ofShard) tally.merge(ofShard);
    const { currency } = parsePolicy(JSON.parse(found.text));
    return { version, state: found.state, since: found.shadowedAt, currency, decided: tally.toJson(), behind };
  }
}

/** A shadow's findings as a person reads them in a terminal. */
export function shadowText({ version, state, since, currency, decided, behind }: ShadowStanding): string {
  return [
    `Shadow of version ${version} (${state}), since ${since.toISOString()}`,
    behind === 0n ? 'Every decision up to now is compared.' : `${behind} facts are not compared yet.`,
    '',
    ...(decided.decisions.count === 0 ? ['No decision was made since.', ''] : tallyLines(decided, currency)),
    'Assumptions',
    ...SHADOW_NOTES.map((text) => `  - ${text}`),
  ].join('\n');
}
