import { BANDS, bandTitle, type Cell, type TallyJson } from '#decisions';
import type { CellView, TallyView } from '../api.js';

const namesShownMax = 12;

/** What re-deciding found, as the page shows it: decimal amounts, the most changed names first. */
export function presentTally(found: TallyJson, currency: string, money: (minor: string) => string): TallyView {
  const cell = ({ was, would, count, minor }: Cell): CellView => ({ was, would, count, amount: money(minor) });
  const changesOf = (name: string, cells: readonly Cell[]) => ({
    name,
    count: cells.reduce((sum, { count }) => sum + count, 0),
    changes: cells.filter(({ was, would }) => was !== would).map(cell),
  });
  const pairs = (names: TallyJson['reasons']) =>
    Object.entries(names)
      .map(([name, { was, would }]) => ({ name, was, would }))
      .sort((a, b) => Math.abs(b.would - b.was) - Math.abs(a.would - a.was))
      .slice(0, namesShownMax);
  return {
    currency,
    decisions: { count: found.decisions.count, amount: money(found.decisions.minor) },
    differing: found.differing,
    assumed: { count: found.assumed.count, amount: money(found.assumed.minor) },
    discount: { was: money(found.discount.was), would: money(found.discount.would) },
    matrix: found.matrix.map(cell),
    byTier: Object.entries(found.byTier).map(([tier, cells]) => changesOf(tier, cells)),
    byBand: BANDS.flatMap((band) => (found.byBand[band] ? [changesOf(bandTitle(band, currency), found.byBand[band])] : [])),
    reasons: pairs(found.reasons),
    limits: pairs(found.limits),
    examples: found.examples.map(({ decision, at, service, tier, minor, was, would, wasReasons, wouldReasons }) => ({
      ...{ decision, at, service, tier, amount: money(minor), was, would },
      why: (would === 'ALLOW' ? wasReasons : wouldReasons)[0] ?? '',
    })),
  };
}
