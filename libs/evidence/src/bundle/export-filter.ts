import type { LogEntry } from './log-entry.js';

/** Which entries of a range an export shows; all others stand as leaf hashes. An absent member filters nothing. */
export interface ExportFilter {
  /** RFC 3339 UTC with milliseconds, included. */
  readonly from?: string;
  /** Excluded. */
  readonly to?: string;
  readonly kinds?: readonly string[];
  /** Internal UUID. */
  readonly subject?: string;
  readonly participant?: string;
}

export function isIncluded(filter: ExportFilter, entry: LogEntry): boolean {
  return (
    (filter.from === undefined || entry.at >= filter.from) &&
    (filter.to === undefined || entry.at < filter.to) &&
    (filter.kinds === undefined || filter.kinds.includes(entry.kind)) &&
    (filter.subject === undefined || filter.subject === entry.subject) &&
    (filter.participant === undefined || filter.participant === entry.participant)
  );
}
