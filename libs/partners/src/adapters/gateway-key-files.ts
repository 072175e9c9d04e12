import { statSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { type Config, findNextSigner, keysFolder, loadSigner } from '#platform';
import { GATEWAY_KEY_USES, type GatewayKeyPair, type GatewayKeyUse } from '../gateway-keys.js';

type Pairs = Readonly<Record<GatewayKeyUse, GatewayKeyPair>>;
/** How old what was read may be. */
const lookEveryMs = 1_000;

/** Our keys as they lie in KEYS_DIR, read again within a second of a change. What cannot be read leaves the last good ones in force. */
export class GatewayKeyFiles {
  private pairs: Pairs;
  private print: string;
  private lookedAtMs = 0;

  constructor(
    private readonly config: Config,
    private readonly logger: Logger,
  ) {
    this.print = fingerprint(config);
    this.pairs = load(config);
  }

  read(): Pairs {
    if (performance.now() - this.lookedAtMs < lookEveryMs) return this.pairs;
    this.lookedAtMs = performance.now();
    const print = fingerprint(this.config);
    if (print === this.print) return this.pairs;
    this.print = print;
    try {
      this.pairs = load(this.config);
      this.logger.info({ kids: Object.values(this.pairs).map(({ current, next }) => [current.kid, next?.kid]) }, 'own keys reloaded');
    } catch (error) {
      this.logger.error({ error: (error as Error).message }, 'own keys could not be reloaded: the last good ones stay in force');
    }
    return this.pairs;
  }
}

function load(config: Config): Pairs {
  const [response, receipt] = GATEWAY_KEY_USES.map((use): GatewayKeyPair => {
    const next = findNextSigner(config, use);
    return { current: loadSigner(config, use), ...(next ? { next } : {}) };
  });
  return { response: response!, receipt: receipt! };
}

function fingerprint(config: Config): string {
  return GATEWAY_KEY_USES.flatMap((use) => [`${use}.jwk.json`, `${use}.next.jwk.json`])
    .map((name) => {
      const stat = statSync(path.join(keysFolder(config), name), { throwIfNoEntry: false });
      return stat ? `${stat.mtimeMs}:${stat.ino}` : '-';
    })
    .join();
}
