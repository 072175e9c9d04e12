/** One line without its end, and where the next one begins. */
export interface TextLine {
  /** Counted from 1. */
  readonly line: number;
  /** Undefined where it was longer than allowed: nothing of it was kept. */
  readonly bytes: Uint8Array | undefined;
  readonly nextByte: number;
}

export interface SplitOptions {
  readonly firstLine: number;
  readonly firstByte: number;
  readonly lineBytesMax: number;
}

const LF = 10;
const CR = 13;

/** Cuts a stream into lines (LF or CR LF; the last may lack its end), in memory bounded by the longest line allowed. Blank lines count, but are left out. */
export async function* splitLines(source: AsyncIterable<Uint8Array>, options: SplitOptions): AsyncGenerator<TextLine> {
  let line = options.firstLine;
  let nextByte = options.firstByte;
  let held: Uint8Array[] = [];
  let length = 0;
  const take = (piece: Uint8Array) => {
    length += piece.length;
    if (length <= options.lineBytesMax + 1) held.push(piece);
    else held = [];
  };
  const end = (): TextLine | undefined => {
    const bytes = length > options.lineBytesMax + 1 ? undefined : withoutReturn(join(held, length));
    const found = { line: line++, bytes: bytes && bytes.length > options.lineBytesMax ? undefined : bytes, nextByte };
    held = [];
    length = 0;
    return bytes?.length === 0 ? undefined : found;
  };
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      take(chunk.subarray(from, at));
      nextByte += at + 1 - from;
      from = at + 1;
      const found = end();
      if (found) yield found;
    }
    take(chunk.subarray(from));
    nextByte += chunk.length - from;
  }
  const last = length > 0 ? end() : undefined;
  if (last) yield last;
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

function withoutReturn(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
}

/** Groups lines into pages of at most `linesMax`. */
export async function* pagesOf<T>(items: AsyncIterable<T>, itemsMax: number): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < itemsMax) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Yields what `work` makes of each item, in order, having begun with the next one before. */
export async function* oneAhead<T, U>(items: AsyncIterable<T>, work: (item: T) => Promise<U>): AsyncGenerator<U> {
  let begun: Promise<U> | undefined;
  for await (const item of items) {
    const next = work(item);
    // Who waits for it hears of its failure; until then nobody does.
    next.catch(() => undefined);
    if (begun) yield await begun;
    begun = next;
  }
  if (begun) yield await begun;
}
