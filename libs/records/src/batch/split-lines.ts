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
  const splitter = new LineSplitter(options);
  for await (const chunk of source) yield* splitter.push(chunk);
  yield* splitter.end();
}

/** The same, chunk by chunk, for whoever takes lines faster than they could be awaited one by one. */
export class LineSplitter {
  private line: number;
  private nextByte: number;
  private held: Uint8Array[] = [];
  private length = 0;

  constructor(private readonly options: SplitOptions) {
    this.line = options.firstLine;
    this.nextByte = options.firstByte;
  }

  /** The lines that end in this chunk. They may share its memory. */
  push(chunk: Uint8Array): TextLine[] {
    const found: TextLine[] = [];
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      this.take(chunk.subarray(from, at));
      this.nextByte += at + 1 - from;
      from = at + 1;
      this.finish(found);
    }
    this.take(chunk.subarray(from));
    this.nextByte += chunk.length - from;
    return found;
  }

  /** The last line, where it lacks its end. */
  end(): TextLine[] {
    const found: TextLine[] = [];
    if (this.length > 0) this.finish(found);
    return found;
  }

  private take(piece: Uint8Array): void {
    this.length += piece.length;
    if (this.length <= this.options.lineBytesMax + 1) this.held.push(piece);
    else this.held = [];
  }

  private finish(found: TextLine[]): void {
    const { lineBytesMax } = this.options;
    const bytes = this.length > lineBytesMax + 1 ? undefined : withoutReturn(join(this.held, this.length));
    const line = this.line++;
    this.held = [];
    this.length = 0;
    if (bytes?.length === 0) return;
    found.push({ line, bytes: bytes && bytes.length > lineBytesMax ? undefined : bytes, nextByte: this.nextByte });
  }
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

/** Yields what `work` makes of each item, in order, having begun with as many of the next ones before. */
export async function* workAhead<T, U>(items: AsyncIterable<T>, ahead: number, work: (item: T) => Promise<U>): AsyncGenerator<U> {
  const begun: Promise<U>[] = [];
  for await (const item of items) {
    const next = work(item);
    // Who waits for it hears of its failure; until then nobody does.
    next.catch(() => undefined);
    begun.push(next);
    if (begun.length > ahead) yield await begun.shift()!;
  }
  for (const one of begun) yield await one;
}
