import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import type { KeptRecord } from './local-records.js';
import { RecordFile } from './record-file.js';

const folder = mkdtempSync(path.join(tmpdir(), 'record-file-'));
const name = path.join(folder, 'records');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(name, { force: true }));

const payload = (n: number) => JSON.stringify({ iss: 'bank-a', jti: `record ${n}`, iat: 1_700_000_000 + (n % 3), text: 'ü'.repeat(n % 5) });
const jws = (n: number) => `eyJhbGciOiJFZERTQSJ9.${Buffer.from(payload(n)).toString('base64url')}.c2ln`;
const idOf = (n: number) => createHash('sha256').update(payload(n)).digest('base64url');
const given = (n: number, line = jws(n)) => ({ id: idOf(n), jti: `record ${n}`, iat: 1_700_000_000, line });

async function all(records: AsyncIterable<KeptRecord>): Promise<KeptRecord[]> {
  const found: KeptRecord[] = [];
  for await (const record of records) found.push(record);
  return found.sort((a, b) => a.line.localeCompare(b.line));
}

function idsOf(file: RecordFile): string[] {
  const tree = file.tree();
  return Array.from({ length: tree.size }, (_, i) => Buffer.from(tree.at(i).id).toString('base64url')).sort();
}

describe('a bank’s records in a file', () => {
  it('are found again by their ids, signed ones and bare payloads, also after a restart', async () => {
    writeFileSync(name, `${jws(1)}\n\n${payload(2)}\r\n${jws(3)}\n`);
    const file = await RecordFile.open(name);
    await file.add(given(4));
    await file.add(given(5, payload(5)));
    expect(await all(file.kept([idOf(3), idOf(5), idOf(99)]))).toEqual(
      [
        { id: idOf(3), line: jws(3) },
        { id: idOf(5), line: payload(5) },
      ].sort((a, b) => a.line.localeCompare(b.line)),
    );
    await file.close();
    const again = await RecordFile.open(name);
    expect(idsOf(again)).toEqual([1, 2, 3, 4, 5].map(idOf).sort());
    expect(await all(again.kept([idOf(4)]))).toEqual([{ id: idOf(4), line: jws(4) }]);
    await again.close();
  });

  it('are counted once, however often a line stands there', async () => {
    writeFileSync(name, `${jws(1)}\n${payload(1)}\n${jws(1)}\n`);
    const file = await RecordFile.open(name);
    expect(idsOf(file)).toEqual([idOf(1)]);
    await file.close();
  });

  it('lose half a line that a crash left, and nothing else', async () => {
    writeFileSync(name, `${jws(1)}\n${jws(2)}\n`);
    for (const half of [1, 10, jws(3).length]) {
      appendFileSync(name, jws(3).slice(0, half));
      const file = await RecordFile.open(name);
      expect(idsOf(file)).toEqual([idOf(1), idOf(2)].sort());
      await file.add(given(4));
      await file.close();
      expect(readFileSync(name, 'utf8')).toBe(`${jws(1)}\n${jws(2)}\n${jws(4)}\n`);
      writeFileSync(name, `${jws(1)}\n${jws(2)}\n`);
    }
  });

  it.each([
    ['what is no record', 'hello'],
    ['a payload without iat', '{"jti":"x"}'],
    ['a line longer than a record may be', `{"iat":1,"text":"${'x'.repeat(70_000)}`],
  ])('refuse %s, with the number of the line', async (_what, line) => {
    writeFileSync(name, `${jws(1)}\n${line}\n`);
    const refusal = await RecordFile.open(name).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect([(refusal as Refusal).code, (refusal as Refusal).detail]).toEqual(['record_line.malformed', expect.stringContaining('line 2')]);
  });

  it('are read in pieces: lines stand across their edges', async () => {
    const count = 6_000;
    writeFileSync(name, Array.from({ length: count }, (_, n) => `${jws(n)}${' '.repeat(n % 400)}\n`).join(''));
    const file = await RecordFile.open(name);
    expect(file.tree().size).toBe(count);
    const wanted = [0, 2_500, 4_999, 5_999];
    expect((await all(file.kept(wanted.map(idOf)))).map(({ line }) => line)).toEqual(wanted.map(jws).sort((a, b) => a.localeCompare(b)));
    await file.close();
  });
});
