import type * as Crypto from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type Transferable, Worker } from 'node:worker_threads';

const threadsMax = 16;
/** What comes and goes with a message lies outside the heap. Without a bound each thread would take as much young memory as a whole door. */
const MEMORY = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 };

interface Answer<Answered> {
  readonly id: number;
  readonly answer: Answered;
}

interface Waiting<Answered> {
  resolve(answer: Answered): void;
  reject(error: Error): void;
}

/**
 * What a thread does with a message. It is handed over as text, so it must stand alone: nothing from around it, nothing imported. What needs more is
 * a program, named by its file, that answers each message `{ id, asked }` by `{ id, answer }`.
 */
export type ThreadWork<Asked, Answered> = (asked: Asked, crypto: typeof Crypto) => Answered;

/**
 * Work on threads of their own, for what would hold the event loop: one for each core, started when first needed. They never keep the process
 * alive while they have nothing to do.
 */
export class ThreadPool<Asked, Answered> {
  private readonly threads: Thread<Asked, Answered>[];
  private next = 0;

  constructor(work: ThreadWork<Asked, Answered> | string, count = Math.min(availableParallelism(), threadsMax)) {
    this.threads = Array.from({ length: count }, () => new Thread<Asked, Answered>(work));
  }

  get size(): number {
    return this.threads.length;
  }

  /** In turn. Fails where the thread ended: nothing is known then, and the next one asked is a new one. */
  ask(asked: Asked, transfer: readonly Transferable[] = []): Promise<Answered> {
    return this.threads[this.next++ % this.threads.length]!.ask(asked, transfer);
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.end()));
  }
}

class Thread<Asked, Answered> {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting<Answered>>();
  private asked = 0;

  constructor(private readonly work: ThreadWork<Asked, Answered> | string) {}

  ask(asked: Asked, transfer: readonly Transferable[]): Promise<Answered> {
    const worker = (this.worker ??= this.start());
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, asked }, transfer);
    });
  }

  async end(): Promise<void> {
    await this.worker?.terminate();
  }

  private start(): Worker {
    const { work } = this;
    const worker =
      typeof work === 'string'
        ? new Worker(work, { resourceLimits: MEMORY })
        : new Worker(programOf(work), { eval: true, execArgv: [], resourceLimits: MEMORY });
    worker.on('message', ({ id, answer }: Answer<Answered>) => {
      this.waiting.get(id)?.resolve(answer);
      this.waiting.delete(id);
      if (this.waiting.size === 0) worker.unref();
    });
    worker.once('error', (error) => this.lose(worker, error as Error));
    worker.once('exit', () => this.lose(worker, new Error('the thread ended')));
    return worker;
  }

  private lose(worker: Worker, error: Error): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

function programOf<Asked, Answered>(work: ThreadWork<Asked, Answered>): string {
  return `const { parentPort } = require('node:worker_threads');
const crypto = require('node:crypto');
const work = ${work.toString()};
parentPort.on('message', ({ id, asked }) => parentPort.postMessage({ id, answer: work(asked, crypto) }));`;
}
