import { fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Refusal } from '#kernel';
import type { Finding } from '../lint/lint-policy.js';
import { READY } from './lint-ready.js';

/** What a lint may take of its process. */
export interface LintLimits {
  /** Until the process has begun: on a busy machine it waits for everybody else. */
  readonly startMsMax: number;
  /** From then on. */
  readonly msMax: number;
  readonly heapMiBMax: number;
  readonly atOnceMax: number;
  readonly waitingMax: number;
}

export const LINT_LIMITS: LintLimits = { startMsMax: 60_000, msMax: 10_000, heapMiBMax: 256, atOnceMax: 1, waitingMax: 8 };

/** Beside us, with our own ending: sources in tests, else what they were built to. */
const PROGRAM = path.join(import.meta.dirname, `lint-process${path.extname(fileURLToPath(import.meta.url))}`);

/**
 * Lints in a process of its own, for those that have something else to do: a document of 256 KB takes a third of a second, and whoever
 * writes it may wish it to take longer. Not on a thread: one that runs out of memory may take its process along (seen 2026-11-22).
 */
export class PolicyLinter {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limits: LintLimits = LINT_LIMITS) {}

  /**
   * What `lintPolicy` finds. Refuses 422 `policy.lint_too_much` where that takes more time or memory than it may, and 503 `policy.lint_busy`
   * where too many wait already or the machine is too busy to begin.
   */
  async lint(text: string): Promise<readonly Finding[]> {
    await this.turn();
    try {
      return await inProcess(text, this.limits);
    } finally {
      this.running--;
      this.waiting.shift()?.();
    }
  }

  private async turn(): Promise<void> {
    const { atOnceMax, waitingMax } = this.limits;
    if (this.running >= atOnceMax) {
      if (this.waiting.length >= waitingMax) {
        throw busy('many documents wait to be linted: try again');
      }
      await new Promise<void>((go) => this.waiting.push(go));
    }
    this.running++;
  }
}

const busy = (detail: string) => new Refusal('unavailable', 'policy.lint_busy', detail, { retryAfterSeconds: 1 });

function inProcess(text: string, { startMsMax, msMax, heapMiBMax }: LintLimits): Promise<readonly Finding[]> {
  const tooMuch = (limit: string) =>
    new Refusal('unprocessable', 'policy.lint_too_much', 'this document takes too much to be linted: make it smaller or simpler', {
      limit,
    });
  return new Promise((resolve, reject) => {
    // It needs nothing that we know, neither settings nor connections; what it says on its way out of memory is for nobody.
    const child = fork(PROGRAM, { env: {}, execArgv: [...process.execArgv, `--max-old-space-size=${heapMiBMax}`], stdio: 'ignore' });
    let timer = setTimeout(() => end(() => reject(busy('the machine is too busy to lint: try again'))), startMsMax);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      settle();
      child.kill('SIGKILL');
    };
    child.once('spawn', () => yieldTo(child.pid!));
    child.on('message', (said) => {
      if (said !== READY) return end(() => resolve(said as unknown as readonly Finding[]));
      clearTimeout(timer);
      timer = setTimeout(() => end(() => reject(tooMuch(`lintMsMax=${msMax}`))), msMax);
      child.send(text);
    });
    child.on('error', (error) => end(() => reject(error)));
    child.once('exit', (_code, signal) =>
      // V8 aborts where its heap is full.
      end(() =>
        reject(signal === 'SIGABRT' ? tooMuch(`lintHeapMiBMax=${heapMiBMax}`) : new Error('the process that lints ended without a word')),
      ),
    );
  });
}

/** Decisions go first. */
function yieldTo(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It is through already.
  }
}
