import { availableParallelism } from 'node:os';
import type * as Crypto from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type * as Threads from 'node:worker_threads';
import type { CheckKind, SignatureCheck } from '#evidence';

/** Fewer are not worth a message. */
const checksPerMessageMin = 16;
const threadsMax = 16;

/** Signatures under one key. `ends`: where each data and each signature ends in `bytes`, in turn. */
interface Asked {
  readonly id: number;
  readonly how: CheckKind;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

interface Answered {
  readonly id: number;
  /** 1 for each that is good. */
  readonly good: Uint8Array;
}

/** What a thread runs: it stands alone, for it is handed over as text. */
function answerChecks({ parentPort }: typeof Threads, { verify }: typeof Crypto): void {
  parentPort!.on('message', ({ id, how, bytes, ends }: Asked) => {
    const good = new Uint8Array(ends.length / 2);
    for (let i = 0; i < good.length; i++) {
      const from = i === 0 ? 0 : ends[2 * i - 1]!;
      const [data, signature] = [bytes.subarray(from, ends[2 * i]), bytes.subarray(ends[2 * i], ends[2 * i + 1])];
      good[i] = verify(how.hash, data, how.key, signature) ? 1 : 0;
    }
    parentPort!.postMessage({ id, good } satisfies Answered);
  });
}

const PROGRAM = `(${answerChecks.toString()})(require('node:worker_threads'), require('node:crypto'))`;

/**
 * Checks signatures of a page of lines on threads of their own, one for each core: a call for a page and not for a line, nothing waits for it but
 * its page, and the event loop stays free. Threads start when they are first needed and never keep the process alive while they have nothing to do.
 */
export class SignatureThreads {
  private readonly threads: CheckThread[];
  private next = 0;

  constructor(count = Math.min(availableParallelism(), threadsMax)) {
    this.threads = Array.from({ length: count }, () => new CheckThread());
  }

  /** Answers in the order asked. Fails where a thread ended: nothing is known then. */
  async check(checks: readonly SignatureCheck[]): Promise<boolean[]> {
    const good = new Array<boolean>(checks.length).fill(false);
    await Promise.all(piecesOf(checks, this.threads.length).map((piece) => this.checkPiece(checks, piece, good)));
    return good;
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.end()));
  }

  private async checkPiece(checks: readonly SignatureCheck[], piece: readonly number[], good: boolean[]): Promise<void> {
    const thread = this.threads[this.next++ % this.threads.length]!;
    const answers = await thread.ask(piece.map((i) => checks[i]!));
    piece.forEach((i, nth) => (good[i] = answers[nth] === 1));
  }
}

/** Which checks go together: under one key, about as many for each thread. */
function piecesOf(checks: readonly SignatureCheck[], threads: number): number[][] {
  const byKey = new Map<CheckKind, number[]>();
  for (const [i, { how }] of checks.entries()) {
    const group = byKey.get(how);
    if (group) group.push(i);
    else byKey.set(how, [i]);
  }
  return [...byKey.values()].flatMap((indices) => {
    const size = Math.max(checksPerMessageMin, Math.ceil(indices.length / threads));
    return Array.from({ length: Math.ceil(indices.length / size) }, (_, i) => indices.slice(i * size, (i + 1) * size));
  });
}

interface Waiting {
  resolve(good: Uint8Array): void;
  reject(error: Error): void;
}

class CheckThread {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;

  ask(checks: readonly SignatureCheck[]): Promise<Uint8Array> {
    const worker = (this.worker ??= this.start());
    const id = this.asked++;
    const { bytes, ends } = packed(checks);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, how: checks[0]!.how, bytes, ends } satisfies Asked, [bytes.buffer, ends.buffer]);
    });
  }

  async end(): Promise<void> {
    await this.worker?.terminate();
  }

  private start(): Worker {
    const worker = new Worker(PROGRAM, { eval: true, execArgv: [] });
    worker.on('message', ({ id, good }: Answered) => {
      this.waiting.get(id)?.resolve(good);
      this.waiting.delete(id);
      if (this.waiting.size === 0) worker.unref();
    });
    worker.once('error', (error) => this.lose(worker, error as Error));
    worker.once('exit', () => this.lose(worker, new Error('the thread that checks signatures ended')));
    return worker;
  }

  /** The next one that asks gets a new thread. */
  private lose(worker: Worker, error: Error): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

/** In memory of its own, which is handed over and not copied again. */
function packed(checks: readonly SignatureCheck[]): { readonly bytes: Uint8Array<ArrayBuffer>; readonly ends: Uint32Array<ArrayBuffer> } {
  const bytes = new Uint8Array(checks.reduce((sum, { data, signature }) => sum + data.length + signature.length, 0));
  const ends = new Uint32Array(2 * checks.length);
  let at = 0;
  checks.forEach(({ data, signature }, i) => {
    bytes.set(data, at);
    ends[2 * i] = at += data.length;
    bytes.set(signature, at);
    ends[2 * i + 1] = at += signature.length;
  });
  return { bytes, ends };
}
