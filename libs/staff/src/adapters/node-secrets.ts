import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { invariant, Refusal, uuidV7 } from '#kernel';
import { codes } from '../codes.js';
import type { StaffSecrets } from '../store.js';

const scryptAsync = promisify<string, Uint8Array, number, object, Buffer>(scrypt);

/** OWASP's scrypt setting of 2^17 · 8 · 1: 128 MiB and about a third of a second for each guess. */
const COST = { N: 2 ** 17, r: 8, p: 1 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const TOKEN_BYTES = 32;

const HASH_FORM = /^scrypt\$(\d{1,8})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/;

/** Passwords that may wait for their turn: some seconds. More are a flood, and who works here shall not stand at its end. */
export const hashesWaitingMax = 20;

/** scrypt and SHA-256 from `node:crypto`. Hashing runs one at a time: sign-ins queue, memory does not grow with them. */
export class NodeSecrets implements StaffSecrets {
  private queue: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(private readonly cost = COST) {}

  newId(atMs: number): string {
    return uuidV7(atMs, randomBytes(10));
  }

  newToken(): { token: string; digest: Uint8Array } {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    return { token, digest: this.digestToken(token) };
  }

  digestToken(token: string): Uint8Array {
    return createHash('sha256').update(token).digest();
  }

  async hashPassword(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const { N, r, p } = this.cost;
    return ['scrypt', N, r, p, salt.toString('base64url'), (await this.derive(password, salt, this.cost)).toString('base64url')].join('$');
  }

  async matchesPassword(password: string, hash: string | undefined): Promise<boolean> {
    if (hash === undefined) {
      await this.derive(password, Buffer.alloc(SALT_BYTES), this.cost);
      return false;
    }
    const parts = HASH_FORM.exec(hash);
    invariant(parts, 'a stored password hash has our form');
    const [, N, r, p, salt, key] = parts;
    const derived = await this.derive(password, Buffer.from(salt!, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) });
    return timingSafeEqual(derived, Buffer.from(key!, 'base64url'));
  }

  /** Refuses 503 `sign_in.busy`. */
  private async derive(password: string, salt: Uint8Array, cost: typeof COST): Promise<Buffer> {
    if (this.waiting >= hashesWaitingMax) {
      throw new Refusal('unavailable', codes.signInBusy, 'many sign in at this moment: try again', { retryAfterSeconds: 5 });
    }
    const bytesMax = 256 * cost.N * cost.r;
    // NIST SP 800-63B §3.1.1.2: the same password typed on two keyboards is the same code points.
    const run = () => scryptAsync(password.normalize('NFKC'), salt, KEY_BYTES, { ...cost, maxmem: bytesMax });
    this.waiting++;
    const next = this.queue.then(run, run).finally(() => this.waiting--);
    this.queue = next.catch(() => undefined);
    return await next;
  }
}
