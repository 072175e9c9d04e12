import type { Outcome } from '#contract';
import { formatMinor } from '#kernel';
import { bandTitle, BANDS } from './amount-bands.js';
import type { BacktestReport } from './backtest-report.js';
import type { Example } from './examples.js';
import type { Cell, Sum } from './matrix.js';
import type { WouldBe } from './redecide.js';
import type { TallyJson } from './tally.js';

const WAS: readonly Outcome[] = ['ALLOW', 'REVIEW', 'DENY'];
const WOULD: readonly WouldBe[] = ['ALLOW', 'REVIEW', 'DENY', 'REFUSED'];
const linesMax = 20;

/** A back-test's report as a person reads it in a terminal. */
export function backtestText(report: BacktestReport): string {
  const { policy, found, history, from, to, assumptions } = report;
  const title = policy
    ? `${policy.id} ${policy.version} (sha256 ${policy.hash.slice(0, 16)})`
    : 'each decision by the version that took it';
  return [
    `Back-test of ${title}`,
    `${from ?? found.firstAt} to ${to ?? found.lastAt}, decided by ${versionsText(found)}; history sha256 ${history.digest.slice(0, 16)}`,
    '',
    ...tallyLines(found, report.currency ?? ''),
    'Assumptions',
    ...assumptions.map((text) => `  - ${text}`),
  ].join('\n');
}

/** What was found, block by block, each followed by an empty line. */
export function tallyLines(found: TallyJson, currency: string): string[] {
  const { decisions, differing, assumed } = found;
  const share = decisions.count === 0 ? '0' : ((100 * differing.outcome) / decisions.count).toFixed(2);
  return [
    `${decisions.count} decisions over ${money(decisions, currency)}; ${differing.outcome} (${share} %) would have another outcome`,
    `other than the outcome: ${differing.computed} computed differently, ${differing.discount} with another discount, ${differing.reasons} with other reasons`,
    ...(assumed.count > 0 ? [`${assumed.count} over ${money(assumed, currency)} rest on the assumption about what was really denied`] : []),
    '',
    ...matrixLines('Was \\ would be', found.matrix, currency),
    `Discount: ${amount(found.discount.was, currency)} then, ${amount(found.discount.would, currency)} now`,
    '',
    ...changesBy('Changes by tier', Object.entries(found.byTier), currency),
    ...changesBy(
      'Changes by amount',
      BANDS.flatMap((band) => (found.byBand[band] ? [[bandTitle(band, currency), found.byBand[band]] as const] : [])),
      currency,
    ),
    ...pairLines('Reasons, then and now', found.reasons),
    ...pairLines('Limits without room, then and now', found.limits),
    ...exampleLines(found.examples, currency),
  ];
}

function matrixLines(title: string, cells: readonly Cell[], currency: string): string[] {
  const shown = WOULD.filter((would) => would !== 'REFUSED' || cells.some((cell) => cell.would === would));
  const rows = WAS.map((was) => [
    was,
    ...shown.map((would) =>
      cellText(
        cells.find((cell) => cell.was === was && cell.would === would),
        currency,
      ),
    ),
  ]);
  return [...table([[title, ...shown], ...rows]), ''];
}

function cellText(cell: Cell | undefined, currency: string): string {
  return cell ? `${cell.count} (${money(cell, currency)})` : '-';
}

function changesBy(title: string, groups: readonly (readonly [string, readonly Cell[]])[], currency: string): string[] {
  const rows = groups.map(([name, cells]) => {
    const changed = cells.filter(({ was, would }) => was !== would);
    const total = cells.reduce((sum, { count }) => sum + count, 0);
    const told = changed.map((cell) => `${cell.was} -> ${cell.would} ${cellText(cell, currency)}`).join(', ');
    return [`  ${name}`, String(total), told === '' ? 'no change' : told];
  });
  return rows.length === 0 ? [] : [title, ...table(rows), ''];
}

/** The most changed first. */
function pairLines(title: string, pairs: TallyJson['reasons']): string[] {
  const rows = Object.entries(pairs)
    .sort(([, a], [, b]) => Math.abs(b.would - b.was) - Math.abs(a.would - a.was))
    .map(([name, { was, would }]) => [`  ${name}`, String(was), String(would), was === would ? '' : signed(would - was)]);
  if (rows.length === 0) return [];
  const more = rows.length > linesMax ? [`  ... and ${rows.length - linesMax} more`] : [];
  return [title, ...table(rows.slice(0, linesMax)), ...more, ''];
}

function exampleLines(examples: readonly Example[], currency: string): string[] {
  if (examples.length === 0) return [];
  const rows = examples.map(({ decision, was, would, minor, wouldReasons, wasReasons }) => {
    const why = would === 'ALLOW' ? wasReasons[0] : wouldReasons[0];
    return [`  ${decision}`, `${was} -> ${would}`, amount(minor, currency), why ?? ''];
  });
  return ['Examples, the largest of each change', ...table(rows), ''];
}

function versionsText({ policyVersions }: TallyJson): string {
  const versions = Object.keys(policyVersions);
  return versions.length === 1 ? `version ${versions[0]}` : `versions ${versions.join(', ')}`;
}

function signed(difference: number): string {
  return difference > 0 ? `+${difference}` : String(difference);
}

function money({ minor }: Sum, currency: string): string {
  return amount(minor, currency);
}

function amount(minor: string, currency: string): string {
  return currency === '' ? `${minor} minor units` : `${formatMinor(BigInt(minor), currency)} ${currency}`;
}

/** Columns of equal width, two spaces apart. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
