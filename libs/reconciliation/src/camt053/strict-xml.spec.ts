import { describe, expect, it } from 'vitest';
import { StrictXml } from './strict-xml.js';

const silent = { open: () => undefined, text: () => undefined, close: () => undefined, interruption: () => undefined };

function read(text: string): void {
  const xml = new StrictXml(silent, 8);
  xml.write(Buffer.from(text));
  xml.end();
}
const attributes = (count: number, name = 'a') => Array.from({ length: count }, (_, i) => `${name}${i}="x"`).join(' ');

describe('an element of a statement', () => {
  it('may have some attributes, and its neighbours have theirs', () => {
    expect(() => read(`<a ${attributes(64)}><b ${attributes(64)}/><c ${attributes(64)}/></a>`)).not.toThrow();
  });

  it.each(['a', 'xmlns:n'])('does not fill our memory with attributes like %s0', (name) => {
    // The tag does not end: it is refused on its way, not when it is whole.
    expect(() => read(`<a ${attributes(65, name)} `)).toThrow(
      expect.objectContaining({ code: 'statement.xml_malformed', detail: 'line 1: an element has more than 64 attributes' }),
    );
  });
});
