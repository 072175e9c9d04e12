import type * as Crypto from 'node:crypto';
import type { CheckKind, SignatureCheck } from '#evidence';
import { ThreadPool } from '#platform';

/** Fewer are not worth a message. */
const checksPerMessageMin = 16;

/** Signatures under one key. `ends`: where each data and each signature ends in `bytes`, in turn. */
interface Asked {
  readonly how: CheckKind;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** Answers 1 for each that is good. */
function checkAll({ how, bytes, ends }: Asked, { verify }: typeof Crypto): Uint8Array {
  const good = new Uint8Array(ends.length / 2);
  for (let i = 0; i < good.length; i++) {
    const from = i === 0 ? 0 : ends[2 * i - 1]!;
    const [data, signature] = [bytes.subarray(from, ends[2 * i]), bytes.subarray(ends[2 * i], ends[2 * i + 1])];
    good[i] = verify(how.hash, data, how.key, signature) ? 1 : 0;
  }
  return good;
}

/**
 * Checks signatures of a page of lines on threads: a call for a page and not for a line, nothing waits for it but its page, and the event loop
 * stays free.
 */
export class SignatureThreads {
  private readonly pool: ThreadPool<Asked, Uint8Array>;

  constructor(count?: number) {
    this.pool = new ThreadPool(checkAll, count);
  }

  /** Answers in the order asked. Fails where a thread ended: nothing is known then. */
  async check(checks: readonly SignatureCheck[]): Promise<boolean[]> {
    const good = new Array<boolean>(checks.length).fill(false);
    await Promise.all(piecesOf(checks, this.pool.size).map((piece) => this.checkPiece(checks, piece, good)));
    return good;
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private async checkPiece(checks: readonly SignatureCheck[], piece: readonly number[], good: boolean[]): Promise<void> {
    const { bytes, ends } = packed(piece.map((i) => checks[i]!));
    const answers = await this.pool.ask({ how: checks[piece[0]!]!.how, bytes, ends }, [bytes.buffer, ends.buffer]);
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
