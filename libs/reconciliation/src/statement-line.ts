import type { Money } from '#kernel';
import type { Direction, EntryDetail, References, StatementDate, StatementEntry } from './statement.js';

/** What is matched: a booked movement with one amount. An entry is one line, or one line for each detail of a batch. */
export interface BookedLine {
  /** 1-based position among the lines of the file. */
  readonly n: number;
  readonly statement: number;
  readonly fileLine: number;
  readonly money: Money;
  readonly direction: Direction;
  readonly reversal: boolean;
  readonly bookedOn?: StatementDate;
  readonly endToEndId?: string;
}

/** A line with everything that may tell which payment it is about. */
export interface StatementLine extends BookedLine {
  readonly references: References;
}

/**
 * The lines of an entry, numbered from `firstN`; none where it is not booked. A batch is taken apart only when every detail states an
 * amount in the entry's currency; otherwise the entry stays whole, so that its money is never counted twice.
 */
export function linesOf(entry: StatementEntry, firstN: number): StatementLine[] {
  if (entry.status !== 'BOOK') return [];
  const { statement, fileLine, reversal, bookedOn } = entry;
  const shared = { statement, fileLine, reversal, ...(bookedOn ? { bookedOn } : {}) };
  const parts = divided(entry);
  if (!parts) {
    const references = merge([...entry.details.map((detail) => detail.references), entry.references]);
    return [{ ...shared, n: firstN, money: entry.money, direction: entry.direction, ...named(references) }];
  }
  return parts.map((detail, i) => ({
    ...shared,
    n: firstN + i,
    money: detail.money,
    direction: detail.direction ?? entry.direction,
    ...named(detail.references),
  }));
}

function named(references: References): Pick<StatementLine, 'references' | 'endToEndId'> {
  return references.endToEndId === undefined ? { references } : { references, endToEndId: references.endToEndId };
}

type Part = EntryDetail & { readonly money: Money };

function divided({ details, money }: StatementEntry): Part[] | undefined {
  const parts = details.filter((detail): detail is Part => detail.money?.currency === money.currency);
  return details.length > 1 && parts.length === details.length ? parts : undefined;
}

/** The first EndToEndId leads; those of further details are asked like any other reference. */
function merge(all: readonly References[]): References {
  const [first, ...rest] = all.flatMap(({ endToEndId }) => endToEndId ?? []);
  const others = [...rest.map((value) => ({ kind: 'end_to_end_id' as const, value })), ...all.flatMap((references) => references.others)];
  return { ...(first === undefined ? {} : { endToEndId: first }), others, texts: all.flatMap((references) => references.texts) };
}
