import { SaxesParser, type SaxesTagNS } from 'saxes';
import { type StatementRefusalCode, refuseLine } from '../codes.js';

export interface XmlEvents {
  open(tag: SaxesTagNS, line: number): void;
  text(text: string): void;
  close(tag: SaxesTagNS): void;
  /** A comment or processing instruction: readers disagree on a value that is cut by one. */
  interruption(line: number): void;
}

/** An element of a statement has one or two. Each costs half a kilobyte until its tag ends, and one tag may be as long as the file. */
const attributesMax = 64;

/**
 * Streaming XML for bytes of a stranger: UTF-8 only, no DTD, no entity beyond the five of XML, well-formed to the end.
 * Raises `statement.encoding_refused`, `.dtd_refused`, `.entity_refused`, `.xml_malformed`, `.truncated`, `.too_deep`, each with its line.
 */
export class StrictXml {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private readonly parser = new SaxesParser({ xmlns: true });
  private depth = 0;
  private attributes = 0;
  private ending = false;

  constructor(
    private readonly events: XmlEvents,
    private readonly elementDepthMax: number,
  ) {
    this.listen();
  }

  get line(): number {
    return this.parser.line;
  }

  write(bytes: Uint8Array): void {
    this.parser.write(this.decode(bytes));
  }

  end(): void {
    this.ending = true;
    const rest = this.decode();
    if (rest !== '') this.parser.write(rest);
    this.parser.close();
  }

  private listen(): void {
    const { parser, events } = this;
    parser.on('xmldecl', ({ encoding }) => {
      if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') {
        throw this.refuse('statement.encoding_refused', `the file says it is ${encoding.slice(0, 40)}; send UTF-8`);
      }
    });
    parser.on('doctype', (text) => {
      throw refuseLine('statement.dtd_refused', this.line - (text.split('\n').length - 1), 'a document type is not accepted');
    });
    parser.on('opentagstart', () => (this.attributes = 0));
    parser.on('attribute', () => {
      if (++this.attributes > attributesMax)
        throw this.refuse('statement.xml_malformed', `an element has more than ${attributesMax} attributes`);
    });
    parser.on('opentag', (tag) => {
      this.depth++;
      if (this.depth > this.elementDepthMax) {
        throw refuseLine('statement.too_deep', this.line, 'elements are nested too deeply', `elementDepthMax=${this.elementDepthMax}`);
      }
      events.open(tag, this.line);
    });
    parser.on('closetag', (tag) => {
      this.depth--;
      events.close(tag);
    });
    parser.on('text', (text) => events.text(text));
    parser.on('cdata', (text) => events.text(text));
    parser.on('comment', () => events.interruption(this.line));
    parser.on('processinginstruction', () => events.interruption(this.line));
    parser.on('error', (error) => {
      throw this.malformed(error.message);
    });
  }

  private malformed(message: string): Error {
    if (this.ending) return this.refuse('statement.truncated', 'the file ends before the document does');
    if (/entity/.test(message))
      return this.refuse('statement.entity_refused', 'only &amp; &lt; &gt; &quot; &apos; and character references');
    // The library's sentence starts with its own position; ours already does.
    return this.refuse('statement.xml_malformed', `not well-formed XML: ${message.replace(/^[^a-z]*/, '').slice(0, 100)}`);
  }

  private decode(bytes?: Uint8Array): string {
    try {
      return bytes ? this.decoder.decode(bytes, { stream: true }) : this.decoder.decode();
    } catch {
      if (this.ending) throw this.refuse('statement.truncated', 'the file ends inside a character');
      throw this.refuse('statement.encoding_refused', 'bytes that are not UTF-8, on this line or after it');
    }
  }

  private refuse(code: StatementRefusalCode, detail: string): Error {
    return refuseLine(code, this.line, detail);
  }
}
