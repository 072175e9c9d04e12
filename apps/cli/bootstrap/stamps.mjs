import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const SKIPPED = new Set(['node_modules', '.git']);

/** Every file at or below these places, relative to `root`, sorted. */
export function filesBelow(root, places) {
  const found = [];
  const visit = (place) => {
    const stat = statSync(path.join(root, place), { throwIfNoEntry: false });
    if (stat?.isFile()) found.push(place);
    if (stat?.isDirectory()) for (const name of readdirSync(path.join(root, place))) if (!SKIPPED.has(name)) visit(`${place}/${name}`);
  };
  places.forEach(visit);
  return found.sort();
}

/** Changes when a file is added, removed, or has other content. */
export function digestOf(root, files) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

/** Remembers from which input each output was made. */
export class Stamps {
  constructor(file) {
    this.file = file;
  }

  unlessFresh(name, digest, outputExists, make) {
    if (outputExists && this.read()[name] === digest) return;
    make();
    mkdirSync(path.dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify({ ...this.read(), [name]: digest }));
  }

  read() {
    try {
      return JSON.parse(readFileSync(this.file, 'utf8'));
    } catch {
      return {};
    }
  }
}
