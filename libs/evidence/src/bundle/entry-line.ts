import { Refusal } from '#kernel';
import { concatBytes, parseDecimal, parseUtf8, utf8 } from '../bytes.js';
import { type LogEntry, parseLogEntry } from './log-entry.js';

/** One line of entries.ndjson: the exact bytes of a log entry, the fact's id and the log index. */
export interface EntryLine {
  readonly index: bigint;
  readonly entry: LogEntry;
  /** The bytes whose leaf hash stands in the log. */
  readonly entryBytes: Uint8Array;
}

const HEAD = '{"entry":';
const TAIL_BYTES_MAX = 80;
const TAIL = /,"fact":"(fct_[0-9a-z]{1,21})","index":"([0-9]{1,19})"\}$/;

/** The line, with its newline; itself canonical JSON around the canonical entry. */
export function formatEntryLine(index: bigint, factId: string, entryBytes: Uint8Array): Uint8Array {
  return concatBytes([utf8.encode(HEAD), entryBytes, utf8.encode(`,"fact":"${factId}","index":"${index}"}\n`)]);
}

/** Reads a line without its newline. Refuses `entry_line.malformed`, `log_entry.malformed`. */
export function parseEntryLine(line: Uint8Array): EntryLine {
  const tail = TAIL.exec(parseTail(line));
  if (!tail) throw malformed('expected {"entry":…,"fact":"…","index":"…"}');
  const headText = parseUtf8(line.subarray(0, HEAD.length), 'entry_line.malformed');
  if (headText !== HEAD) throw malformed('the line does not start with its entry');
  const entryBytes = line.subarray(HEAD.length, line.length - tail[0].length);
  const entry = parseLogEntry(entryBytes);
  if (entry.factId !== tail[1]) throw malformed(`the fact's id does not belong to the entry, which is ${entry.factId}`);
  return { index: parseDecimal(tail[2]!, 'entry_line.malformed'), entry, entryBytes };
}

/** What a broken line still says about itself, to name it. */
export function describeEntryLine(line: Uint8Array): { readonly index?: string; readonly factId?: string } {
  const text = new TextDecoder().decode(line);
  const index = /"index":"([0-9]{1,19})"/.exec(text.slice(-TAIL_BYTES_MAX))?.[1];
  const factId = /"fact":"(fct_[0-9a-z]{1,21})"/.exec(text.slice(-TAIL_BYTES_MAX))?.[1];
  return { ...(index === undefined ? {} : { index }), ...(factId === undefined ? {} : { factId }) };
}

/** The end of a line as text; a cut through a character only garbles what stands before the tail. */
function parseTail(line: Uint8Array): string {
  return new TextDecoder().decode(line.subarray(-TAIL_BYTES_MAX));
}

const malformed = (detail: string) => new Refusal('malformed', 'entry_line.malformed', detail);
