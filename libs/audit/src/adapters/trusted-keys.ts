import { existsSync } from 'node:fs';
import path from 'node:path';
import { exportKeyName, formatVkey, nodeCrypto, vkeyOf } from '#evidence';
import { type Config, loadSigner, printOfKeys, readPublicKeys } from '#platform';
import type { Sealer } from '../sealer.js';
import { writeDurably } from './fs-log-files.js';

/** The public keys of this installation's log, its exports and its receipts, one per line (c2sp.org/signed-note): what a verifier trusts. */
export const trustedKeysFile = (config: Pick<Config, 'TALLYSTICK_HOME'>): string => path.join(config.TALLYSTICK_HOME, 'log', 'vkey');

/** Keeps that file. A receipt outlives the key that signed it, so all that receipts were, are and will be signed with stand in it. */
export class TrustedKeys {
  private print: string | undefined;

  constructor(
    private readonly config: Config,
    private readonly sealer: Pick<Sealer, 'vkey'>,
  ) {}

  /** Costs little where nothing changed: it is called each second. */
  async keep(): Promise<void> {
    const print = printOfKeys(this.config, ['receipt']);
    if (print === this.print && existsSync(trustedKeysFile(this.config))) return;
    const receipts = readPublicKeys(this.config, 'receipt');
    const log = await this.sealer.vkey();
    const keys = [log, await vkeyOf(nodeCrypto, exportKeyName(log.name), loadSigner(this.config, 'export'))];
    for (const publicJwk of receipts) keys.push(await vkeyOf(nodeCrypto, `${log.name}/receipt`, { publicJwk, sign: cannotSign }));
    await writeDurably(trustedKeysFile(this.config), Buffer.from(`${keys.map(formatVkey).join('\n')}\n`));
    this.print = print;
  }
}

function cannotSign(): never {
  throw new Error('only the public half of this key is here');
}
