import type { TallyAnswer, TallyCell } from '#contract';
import { formatMinor } from '#kernel';
import { BANDS, bandTitle } from './amount-bands.js';
import type { Cell } from './matrix.js';
import type { TallyJson } from './tally.js';

const namesShownMax = 12;

/** What re-deciding found, as every door shows it: decimal amounts, the most changed names first. Without a currency nothing was found. */
export function showTally(found: TallyJson, currency: string | null): TallyAnswer {
  const money = (minor: string) => (currency === null ? minor : formatMinor(BigInt(minor), currency));
  const title = currency ?? '';
  const cell = ({ was, would, count, minor }: Cell): TallyCell => ({ was, would, count, amount: money(minor) });
  const changesOf = (name: string, cells: readonly Cell[]) => ({
    name,
    count: cells.reduce((sum, { count }) => sum + count, 0),
    changes: cells.filter(({ was, would }) => was !== would).map(cell),
  });
  return {
    currency: title,
    decisions: { count: found.decisions.count, amount: money(found.decisions.minor) },
    differing: found.differing,
    assumed: { count: found.assumed.count, amount: money(found.assumed.minor) },
    discount: { was: money(found.discount.was), would: money(found.discount.would) },
    matrix: found.matrix.map(cell),
    byTier: Object.entries(found.byTier).map(([tier, cells]) => changesOf(tier, cells)),
    byBand: BANDS.flatMap((band) => (found.byBand[band] ? [changesOf(bandTitle(band, title), found.byBand[band])] : [])),
    reasons: mostChanged(found.reasons),
    limits: mostChanged(found.limits),
    examples: found.examples.map(({ decision, at, service, tier, minor, was, would, wasReasons, wouldReasons }) => ({
      ...{ decision, at, service, tier, amount: money(minor), was, would },
      why: (would === 'ALLOW' ? wasReasons : wouldReasons)[0] ?? '',
    })),
  };
}

function mostChanged(names: TallyJson['reasons']) {
  return Object.entries(names)
    .map(([name, { was, would }]) => ({ name, was, would }))
    .sort((a, b) => Math.abs(b.would - b.was) - Math.abs(a.would - a.was))
    .slice(0, namesShownMax);
}
