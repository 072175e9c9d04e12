import { expect, it } from 'vitest';
import { readCamt053 } from './camt053/read-camt053.js';
import { pagesOfLines, surveyStatement } from './survey-statement.js';
import { camt053 } from './testing/samples.js';

const entries = Array.from({ length: 7 }, (_, i) => ({ endToEndId: `P-${i + 1}` }));
const parts = () => readCamt053([camt053(entries)]);

it('a first reading tells how much there is, and whether it ties', async () => {
  const { statements, ...counts } = await surveyStatement(parts());
  expect(counts).toEqual({ entries: 7, lines: 7 });
  expect(statements).toMatchObject([{ head: { id: 'STM-1' }, totals: { balanced: true } }]);
});

it.each([
  [0, 3, [[1, 2, 3], [4, 5, 6], [7]]],
  [0, 7, [[1, 2, 3, 4, 5, 6, 7]]],
  [3, 3, [[4, 5, 6], [7]]],
  [5, 100, [[6, 7]]],
  [7, 3, []],
])('after %i lines it goes on in pages of %i, no line twice and none left out', async (skip, linesMax, pages) => {
  const found: number[][] = [];
  for await (const page of pagesOfLines(parts(), skip, linesMax)) found.push(page.map(({ n }) => n));
  expect(found).toEqual(pages);
});
