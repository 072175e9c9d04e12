import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lastLines, RotatingLog } from './rotating-log.js';

let file: string;
beforeEach(() => {
  file = path.join(mkdtempSync(path.join(tmpdir(), 'tallystick-log-')), 'app.log');
});
afterEach(() => rmSync(path.dirname(file), { recursive: true }));

it('keeps a log below its cap, and the one before it', () => {
  const log = new RotatingLog(file, 10);
  for (const line of ['first\n', 'second\n', 'third\n']) log.write(line);
  log.close();
  expect(readFileSync(file, 'utf8')).toBe('third\n');
  expect(readFileSync(`${file}.1`, 'utf8')).toBe('second\n');
});

it('goes on where the last run stopped', () => {
  for (const line of ['first\n', 'second\n']) {
    const log = new RotatingLog(file, 10);
    log.write(line);
    log.close();
  }
  expect(readFileSync(file, 'utf8')).toBe('second\n');
});

it('shows the last words without the stack', () => {
  const log = new RotatingLog(file);
  log.write('one\ntwo\nError: no\n    at here (x.ts:1)\n\n');
  log.close();
  expect(lastLines(file, 2)).toBe('two\nError: no');
});
