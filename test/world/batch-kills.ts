import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BatchStatus, signRecord, writeBatch } from '#sdk';
import { sampleRating } from '../../apps/cli/src/seed/seed-customers.js';
import type { Stage } from '../../apps/cli/src/demo/stage.js';
import type { Dice } from '../sim/dice.js';
import { insist } from './workload.js';

/** A process that `up` supervises. */
export interface Supervised {
  readonly name: string;
  readonly pid?: number;
  readonly state: string;
  readonly restarts: number;
}

export function supervised(home: string, name: string): Supervised {
  const states = JSON.parse(readFileSync(path.join(home, 'status.json'), 'utf8')) as Supervised[];
  return states.find((state) => state.name === name)!;
}

export function killNow(home: string, name: string): void {
  const { pid } = supervised(home, name);
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

export async function untilRestarted(home: string, name: string, restarts: number): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const state = supervised(home, name);
    if (state.restarts >= restarts && state.state === 'running') return;
    await delay(100);
  }
  throw new Error(`${name} was not restarted ${restarts} times: ${JSON.stringify(supervised(home, name))}`);
}

export interface BatchScene {
  readonly stage: Stage;
  readonly home: string;
  /** Whom the lines are about, in turn. */
  readonly refs: readonly string[];
  readonly dice: Dice;
}

/** A moment of a batch's life, and who dies there. */
export interface BatchKill {
  readonly who: string;
  readonly when: 'in the middle of the upload' | 'while its lines are taken' | 'at a named point';
}

export const BATCH_KILLS: readonly BatchKill[] = [
  { who: 'gateway', when: 'in the middle of the upload' },
  { who: 'worker', when: 'while its lines are taken' },
  { who: 'postgres', when: 'while its lines are taken' },
  { who: 'redis', when: 'while its lines are taken' },
  { who: 'postgres', when: 'in the middle of the upload' },
  { who: 'gateway', when: 'at a named point' },
  { who: 'worker', when: 'at a named point' },
];

/** Named points that a process passes surely while it has a batch, and how often at most it is waited for. */
export const BATCH_POINTS: Readonly<Record<string, readonly (readonly [point: string, nthMax: number])[]>> = {
  gateway: [
    ['statement.after', 6],
    ['commit.before', 1],
    ['commit.after', 1],
  ],
  worker: [
    ['statement.after', 12],
    ['commit.before', 3],
    ['commit.after', 3],
  ],
};

export interface SentBatch {
  /** jti of each line, in order; undefined for a line that is none. */
  readonly jtis: readonly (string | undefined)[];
  readonly file: string;
}

/** A file of lines, some of them bad, and larger than what lies in buffers between us and the gateway. */
export async function writeKillBatch({ stage, home, refs, dice }: BatchScene): Promise<SentBatch> {
  const jtis: (string | undefined)[] = [];
  const count = dice.int(500, 1_200);
  const lines = async function* () {
    for (let i = 0; i < count; i++) {
      if (dice.chance(0.02)) {
        jtis.push(undefined);
        yield `bad line ${i}`;
        continue;
      }
      const payload = sampleRating(stage.bankA.id, refs[i % refs.length]!, dice.int(400, 900), new Date());
      jtis.push(payload.jti);
      yield await signRecord({ ...payload, seq: stage.bankA.nextSeq++ }, stage.bankA.key);
    }
  };
  const file = path.join(home, `kill-${dice.seed}.ndjson`);
  rmSync(file, { force: true });
  await writeBatch(file, lines());
  return { jtis, file };
}

/** A sealed file of so many lines, all of them good; answers the jti of each. */
export async function writeSealedKillBatch({ stage, refs, dice }: BatchScene, file: string, count: number): Promise<string[]> {
  const { id, key } = stage.bankA;
  const payloads = Array.from({ length: count }, (_, i) => ({
    ...sampleRating(id, refs[i % refs.length]!, dice.int(400, 900), new Date()),
    seq: stage.bankA.nextSeq++,
  }));
  await writeBatch(file, payloads, { seal: { iss: id, key } });
  return payloads.map(({ jti }) => jti);
}

/** Sends and follows a batch as a bank does that never gives up, whatever dies; `onSent` and `onProgress` may kill. */
export async function seeThrough(
  { stage }: BatchScene,
  file: string,
  { onSent, onProgress }: { onSent?: (share: number) => void; onProgress?: (status: BatchStatus) => void },
): Promise<BatchStatus> {
  const { batches } = stage.bankA.client;
  const sent = ({ sentBytes, sizeBytes }: { sentBytes: number; sizeBytes: number }) => onSent?.(sentBytes / sizeBytes);
  const { id } = await insist(() => batches.submit(file, { onSent: sent }));
  return await insist(() => batches.wait(id, { pollMs: 50, ...(onProgress ? { onProgress } : {}) }));
}
