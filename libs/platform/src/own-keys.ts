import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import type { JsonWebKey, Signer } from '#evidence';
import type { Config } from './config.js';
import { findNextSigner, keyFiles, loadSigner, readPastKeys, type SignerName } from './keys.js';

/** What signs now, what is announced to take its place, and the public halves of what it replaced. */
export interface OwnKey {
  readonly current: Signer;
  readonly next?: Signer;
  readonly past: readonly JsonWebKey[];
}

/** How old what was read may be. */
const lookEveryMs = 1_000;
/** What kept a file from being read need not show in it: its mode, or a process without a free file descriptor. */
const retryEveryMs = 10_000;

/** Keys of ours as they lie in KEYS_DIR, read again within a second of a change. What cannot be read leaves the last good ones in force, and is tried again. */
export class OwnKeys<Name extends SignerName = SignerName> {
  private keys: Readonly<Record<Name, OwnKey>>;
  private print: string;
  private lookedAtMs = performance.now();
  private retryAtMs = Infinity;

  /** Throws as `loadSigner` where a key is not there at the beginning. */
  constructor(
    private readonly config: Config,
    private readonly names: readonly Name[],
    private readonly logger: Pick<Logger, 'info' | 'error'>,
  ) {
    this.print = printOfKeys(config, names);
    this.keys = load(config, names);
  }

  read(): Readonly<Record<Name, OwnKey>> {
    const nowMs = performance.now();
    if (nowMs - this.lookedAtMs < lookEveryMs) return this.keys;
    this.lookedAtMs = nowMs;
    try {
      const print = printOfKeys(this.config, this.names);
      if (print === this.print && nowMs < this.retryAtMs) return this.keys;
      this.print = print;
      this.keys = load(this.config, this.names);
      this.retryAtMs = Infinity;
      const kids = this.names.map((name) => [this.keys[name].current.kid, this.keys[name].next?.kid]);
      this.logger.info({ kids }, 'own keys reloaded');
    } catch (error) {
      this.retryAtMs = nowMs + retryEveryMs;
      this.logger.error({ error: (error as Error).message }, 'own keys could not be reloaded: the last good ones stay in force');
    }
    return this.keys;
  }
}

/** The public halves of all that was, is and will be signed with under this name: what somebody needs who verifies old and new. */
export function publicHalves({ current, next, past }: OwnKey): JsonWebKey[] {
  return [current.publicJwk, ...(next ? [next.publicJwk] : []), ...past];
}

function load<Name extends SignerName>(config: Config, names: readonly Name[]): Readonly<Record<Name, OwnKey>> {
  const loaded = names.map((name) => {
    const next = findNextSigner(config, name);
    return [name, { current: loadSigner(config, name), ...(next ? { next } : {}), past: readPastKeys(config, name) }];
  });
  return Object.fromEntries(loaded) as Readonly<Record<Name, OwnKey>>;
}

/** Other than before where a file of these keys was written, replaced or removed. */
export function printOfKeys(config: Config, names: readonly SignerName[]): string {
  return names
    .flatMap((name) => keyFiles(config, name))
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat ? `${stat.mtimeMs}:${stat.ino}` : '-';
    })
    .join();
}
