import { setTimeout as delay } from 'node:timers/promises';
import type { BodySource } from '../gateway-body.js';
import type { GatewayClient } from '../gateway-client.js';
import { type BatchFile, openBatchFile } from './batch-file.js';
import { type LineOutcome, parseOutcomes } from './line-outcome.js';
import { saveOutcomes } from './save-outcomes.js';

/** `GET /v1/record-batches/{id}`. */
export interface BatchStatus {
  readonly id: string;
  readonly state: 'RECEIVED' | 'PROCESSING' | 'DONE' | 'FAILED';
  /** Of the lines without transfer coding, hexadecimal: what makes the same lines the same batch. */
  readonly sha256: string;
  readonly receivedAt: string;
  readonly finishedAt?: string;
  readonly lines: Readonly<Record<'total' | 'done' | 'accepted' | 'repeated' | 'refused', number>>;
  /** Of a sealed batch, as soon as it is sent: the lines that will be refused for what they are, and the first of them. */
  readonly faults?: { readonly count: number; readonly first: readonly Pick<LineOutcome, 'line' | 'code' | 'detail' | 'field'>[] };
  /** Why it is FAILED, and what to do: submit the same file again. */
  readonly failure?: { readonly code: string; readonly detail: string };
}

/** The gateway lost lines (`batch.lines_lost`). Submit the same file again: the same batch goes on, and outcomes stay. */
export class BatchFailedError extends Error {
  override readonly name = 'BatchFailedError';

  constructor(readonly status: BatchStatus) {
    super(`${status.failure?.code}: ${status.failure?.detail}`);
  }

  get code(): string | undefined {
    return this.status.failure?.code;
  }
}

export interface SubmitBatchOptions {
  /** Only where it cannot be seen (zstd): whether the first line is a manifest. */
  readonly sealed?: boolean;
  /** Told with each piece that is sent; `sentBytes` begins anew with each attempt. */
  readonly onSent?: (progress: { readonly sentBytes: number; readonly sizeBytes: number }) => void;
  /** For how long it is sent again after a broken connection or "not now": ten minutes where it is left out. */
  readonly patienceMs?: number;
}

export interface WaitOptions {
  readonly onProgress?: (status: BatchStatus) => void;
  /** Milliseconds from one look at the batch to the next. */
  readonly pollMs?: number;
  /** Ends the waiting; the batch goes on. */
  readonly signal?: AbortSignal;
}

const patienceMsDefault = 10 * 60_000;
const pollMsDefault = 1_000;
const outcomesPerPage = 50_000;

/**
 * Many records at once (CONTRACT.md §3), in constant memory. All of it may be repeated at any time, after any crash: the same file is the same batch,
 * and what was saved of its outcomes is not asked for again.
 */
export class RecordBatches {
  constructor(private readonly gateway: Pick<GatewayClient, 'send' | 'download'>) {}

  /** Sends a file of lines as it stands (`writeBatch` makes one). `repeated`: the gateway had these lines already. */
  async submit(path: string, options: SubmitBatchOptions = {}): Promise<BatchStatus & { readonly repeated: boolean }> {
    const { sealed, coding, body }: BatchFile = await openBatchFile(path, options.sealed);
    const answer = await this.gateway.send({
      method: 'POST',
      path: `/v1/record-batches${sealed ? '?profile=sealed' : ''}`,
      body: watched(body, options.onSent),
      contentType: 'application/x-ndjson',
      contentEncoding: coding,
      patienceMs: options.patienceMs ?? patienceMsDefault,
    });
    return { ...(answer.json() as BatchStatus), repeated: answer.headers['idempotency-hit'] === 'true' };
  }

  /** How far a batch is. 404 `batch.unknown`. */
  async status(id: string): Promise<BatchStatus> {
    return (
      await this.gateway.send({ method: 'GET', path: `/v1/record-batches/${id}`, patienceMs: patienceMsDefault })
    ).json() as BatchStatus;
  }

  /** Waits until each line has its outcome. Rejects with the signal's reason, or `BatchFailedError`. */
  async wait(id: string, { onProgress, pollMs = pollMsDefault, signal }: WaitOptions = {}): Promise<BatchStatus> {
    for (;;) {
      signal?.throwIfAborted();
      const status = await this.status(id);
      onProgress?.(status);
      if (status.state === 'DONE') return status;
      if (status.state === 'FAILED') throw new BatchFailedError(status);
      await delay(pollMs, undefined, signal ? { signal } : {});
    }
  }

  /** What became of each line taken so far, in order, with the receipts; from line `after` on. */
  async *results(id: string, after = 0): AsyncGenerator<LineOutcome> {
    for await (const page of this.pages(id, 'results', after)) yield* page;
  }

  /** The lines that were refused so far, in order. */
  async *errors(id: string, after = 0): AsyncGenerator<LineOutcome> {
    for await (const page of this.pages(id, 'errors', after)) yield* page;
  }

  /** Waits for the end and saves all outcomes as NDJSON; goes on where an earlier call was interrupted. @returns how many there are. */
  async saveResults(id: string, file: string, options: WaitOptions = {}): Promise<number> {
    return await this.save(id, 'results', file, options);
  }

  /** The same for the refused lines only. */
  async saveErrors(id: string, file: string, options: WaitOptions = {}): Promise<number> {
    return await this.save(id, 'errors', file, options);
  }

  private async save(id: string, kind: 'results' | 'errors', file: string, options: WaitOptions): Promise<number> {
    await this.wait(id, options);
    return await saveOutcomes(file, (after) => this.pages(id, kind, after));
  }

  /** Each page is verified before a line of it is given. */
  private async *pages(id: string, kind: 'results' | 'errors', after: number): AsyncGenerator<LineOutcome[]> {
    for (let from = after; ;) {
      const path = `/v1/record-batches/${id}/${kind}?after=${from}&limit=${outcomesPerPage}`;
      const kept = await this.gateway.download({ method: 'GET', path, patienceMs: patienceMsDefault });
      try {
        const page = await parseOutcomes(kept.read());
        if (page.length > 0) yield page;
        if (page.length < outcomesPerPage) return;
        from = page.at(-1)!.line;
      } finally {
        await kept.discard();
      }
    }
  }
}

/** Tells of each piece as it is taken by the connection; the reading for the digest comes before and is not told. */
function watched(body: BodySource & { readonly sizeBytes: number }, tell: SubmitBatchOptions['onSent']): BodySource {
  if (!tell) return body;
  let isDigested = false;
  return {
    sizeBytes: body.sizeBytes,
    open: () => {
      if (isDigested) return told(body, tell);
      isDigested = true;
      return body.open();
    },
  };
}

async function* told(body: BodySource & { readonly sizeBytes: number }, tell: NonNullable<SubmitBatchOptions['onSent']>) {
  let sentBytes = 0;
  for await (const piece of body.open()) {
    yield piece;
    sentBytes += piece.length;
    tell({ sentBytes, sizeBytes: body.sizeBytes });
  }
}
