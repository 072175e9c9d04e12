/** Where something stands in a text: both from 1; columns count UTF-16 code units, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A JSON text as read, and where each of its values and names begins, by JSON pointer (RFC 6901). */
export interface PlacedJson {
  readonly value: unknown;
  readonly values: ReadonlyMap<string, Place>;
  readonly names: ReadonlyMap<string, Place>;
  /** Names that stood in their object before: what JSON.parse drops silently. */
  readonly repeated: readonly { readonly pointer: string; readonly place: Place }[];
}

/** The text is not JSON (RFC 8259). */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';

  constructor(
    message: string,
    readonly place: Place,
    readonly pointer: string,
  ) {
    super(message);
  }
}

const jsonDepthMax = 16;

const SPACE = /[ \t\n\r]*/y;
const SCALAR =
  /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;

export function pointerTo(parent: string, step: PropertyKey): string {
  return `${parent}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Reads one JSON value and remembers where everything stands. Throws a JsonSyntaxError at the first place that is not JSON. */
export function readPlacedJson(text: string): PlacedJson {
  return new PlacedReader(text).read();
}

class PlacedReader {
  private at = 0;
  private readonly lineStarts: number[];
  private readonly values = new Map<string, Place>();
  private readonly names = new Map<string, Place>();
  private readonly repeated: { pointer: string; place: Place }[] = [];

  constructor(private readonly text: string) {
    this.lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  read(): PlacedJson {
    this.skipSpace();
    const value = this.value('', 1);
    if (this.at < this.text.length) this.fail('nothing may follow the document', '');
    return { value, values: this.values, names: this.names, repeated: this.repeated };
  }

  /** Reads a value and the white space behind it. */
  private value(pointer: string, depth: number): unknown {
    this.values.set(pointer, this.place(this.at));
    const first = this.text[this.at];
    const isNested = first === '{' || first === '[';
    if (isNested && depth > jsonDepthMax) this.fail(`nested more than ${jsonDepthMax} levels deep`, pointer);
    const read = isNested ? (first === '{' ? this.object(pointer, depth) : this.array(pointer, depth)) : this.scalar(pointer, 'a value');
    this.skipSpace();
    return read;
  }

  private object(pointer: string, depth: number): unknown {
    const members = new Map<string, unknown>();
    this.items('}', pointer, () => {
      const place = this.place(this.at);
      const name = this.scalar(pointer, 'a name in double quotes');
      const own = pointerTo(pointer, String(name));
      if (typeof name !== 'string') throw new JsonSyntaxError('a name in double quotes is expected here', place, pointer);
      if (members.has(name)) this.repeated.push({ pointer: own, place });
      this.names.set(own, place);
      this.skipSpace();
      if (!this.take(':')) this.fail('":" is expected here', own);
      members.set(name, this.value(own, depth + 1));
    });
    return Object.fromEntries(members);
  }

  private array(pointer: string, depth: number): unknown {
    const elements: unknown[] = [];
    this.items(']', pointer, () => elements.push(this.value(pointerTo(pointer, elements.length), depth + 1)));
    return elements;
  }

  private items(end: string, pointer: string, item: () => unknown): void {
    this.at++;
    this.skipSpace();
    if (this.take(end)) return;
    do item();
    while (this.take(','));
    if (!this.take(end)) this.fail(`"," or "${end}" is expected here`, pointer);
  }

  private scalar(pointer: string, what: string): unknown {
    SCALAR.lastIndex = this.at;
    const token = SCALAR.exec(this.text)?.[0] ?? this.fail(`${what} is expected here`, pointer);
    this.at += token.length;
    return JSON.parse(token) as unknown;
  }

  private take(token: string): boolean {
    if (this.text[this.at] !== token) return false;
    this.at++;
    this.skipSpace();
    return true;
  }

  private skipSpace(): void {
    SPACE.lastIndex = this.at;
    this.at += SPACE.exec(this.text)![0].length;
  }

  private place(offset: number): Place {
    let [low, high] = [0, this.lineStarts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.lineStarts[low]! + 1 };
  }

  private fail(message: string, pointer: string): never {
    throw new JsonSyntaxError(message, this.place(this.at), pointer);
  }
}
