import { describe, expect, it } from 'vitest';
import { parsePollRequest } from './event.js';
import { plainText, printable } from './plain-text.js';
import { parseCreateLink } from './subject.js';

const CONTROLS = ['\u0000', '\n', '\r', '\u001b[2J', '\u007f', '\u009b'];

describe('a line of text from outside', () => {
  it('is any text of its length', () => {
    for (const text of ['x', 'Ærø & 株式会社', '😀'.repeat(5)]) expect(plainText(10).safeParse(text).success).toBe(true);
    for (const text of ['', 'x'.repeat(11)]) expect(plainText(10).safeParse(text).success).toBe(false);
  });

  it.each(CONTROLS)('holds no control character: %j', (control) => {
    expect(plainText(10).safeParse(`a${control}b`).success).toBe(false);
    expect(() => parseCreateLink({ participant: 'bank-a', customerReference: `C-${control}1` })).toThrow(
      expect.objectContaining({ code: 'link.malformed', hints: { field: '/customerReference' } }),
    );
  });

  it('of a receiver that could not take an event is kept without them', () => {
    const event = '01890a5d-ac96-774b-bcce-b302099a8057';
    const { setErrs } = parsePollRequest({ setErrs: { [event]: { err: 'db\u0000', description: 'line\n\u001b[31mred' } } });
    expect(setErrs[event]).toEqual({ err: 'db ', description: 'line  [31mred' });
    expect(CONTROLS.map(printable).join('')).not.toMatch(/\p{Control}/u);
  });
});
