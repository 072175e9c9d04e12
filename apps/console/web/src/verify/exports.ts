import { Refusal } from '#kernel';
import { type RandomReader, verifyBundle, type Vkey, webCrypto } from '#evidence/verifier';
import type { Check } from './checks.js';

/** In the order in which `verifyBundle` takes them, with the codes that stop there. */
const STEPS: readonly (readonly [title: string, ...codes: string[]])[] = [
  ['It is an export, whole', 'bundle.malformed'],
  ['Its manifest is signed by an export key you trust', 'bundle.manifest_invalid'],
  ['Its small files are those that the manifest signs', 'bundle.part_altered'],
  ['The checkpoint is signed by a log you trust', 'bundle.checkpoint_invalid'],
  ['Every entry stands in the log as signed, and none of the range is missing', 'bundle.entry_altered', 'bundle.leaves_altered'],
  ['It holds as many entries as the manifest says', 'bundle.counts_wrong'],
];

/** An export bundle of any size, read piece by piece in constant memory. */
export async function checkExport(reader: RandomReader, trusted: readonly Vkey[]): Promise<Check[]> {
  try {
    const { manifest, checkpoint, start, end, included, excluded } = await verifyBundle(reader, webCrypto, trusted);
    const found = [
      `Export ${manifest.export}, requested by ${manifest.requestedBy} at ${manifest.requestedAt}.`,
      `Filter ${JSON.stringify(manifest.filter)}.`,
      '',
      `Log ${checkpoint.origin}, ${checkpoint.size} entries.`,
      `Entries ${start} to ${end} (excluded): ${included} in full, ${excluded} left out by the filter, as leaf hashes.`,
      '',
    ];
    return STEPS.map(([title], i) => ({ title, result: 'holds', detail: found[i]! }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // What is wrong with a proof is said of the part that holds it: by its own code where it is about the form.
    const known = STEPS.findIndex(([, ...codes]) => codes.includes(error.code));
    const stop = known < 0 ? 4 : known;
    return STEPS.map(([title], i) => {
      if (i === stop) return { title, result: 'fails', code: error.code, detail: error.detail };
      return { title, result: i < stop ? 'holds' : 'not reached' };
    });
  }
}
