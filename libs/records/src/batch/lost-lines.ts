import { type Facts, formatId } from '#kernel';
import type { RecordBatch } from './batch.js';

/**
 * So long the lines of a batch may be missing before it ends without them, in milliseconds. Longer than a machine takes to come back and somebody to mount its
 * folder; short enough that a bank that sent in the evening can send again in the night.
 */
export const linesMissingMsMax = 3_600_000;

/** The lines that wait are not there, or not all of them. */
export class LinesMissing extends Error {
  override readonly name = 'LinesMissing';
}

/** Why a batch FAILED, and what its sender does. */
export const LINES_LOST = {
  code: 'batch.lines_lost',
  detail:
    'the lines were lost here before all of them were taken: send the same lines again, and this batch goes on; lines that have an outcome keep it, and nothing of the others was accepted',
} as const;

/** The same lines, sent once more, are put back into it. */
export function missesLines({ state, linesMissingSince }: Pick<RecordBatch, 'state' | 'linesMissingSince'>): boolean {
  return state !== 'DONE' && linesMissingSince !== undefined;
}

export function failedFact({ id, participant }: RecordBatch): Facts {
  return [{ shard: id.shard, kind: 'batch.failed', participant, body: { batch: formatId('bat', id), code: LINES_LOST.code } }];
}
