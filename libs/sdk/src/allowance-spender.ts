import { randomUUID } from 'node:crypto';
import { type AllowanceClaims, settledSpendsMax, type SpendResult } from '#contract';
import { formatMinor, parseMoney, Refusal, type WireMoney } from '#kernel';
import { AllowanceTally, type TalliedSpend, type TallyLine } from './allowance-tally.js';
import type { DecisionClient } from './decision-client.js';
import { DurableLog } from './durable-log.js';
import { type KeySet, verifyAllowance } from './verify-offline.js';

export interface SpenderOptions {
  /** `typ: allowance+jwt`, as issued. */
  readonly token: string;
  /** Of the issuer, kept from when it could be asked. */
  readonly keys: KeySet;
  readonly issuer: string;
  /** Our service account. */
  readonly holder: string;
  /** Of this allowance alone; on a disk that keeps what it was told to. */
  readonly file: string;
  /** For tests: wall clock and a clock that only runs forward, both in milliseconds. */
  readonly clocks?: { readonly wallMs: () => number; readonly runningMs: () => number };
}

export type SpendDenial =
  | 'allowance.exceeded'
  | 'allowance.expired'
  | 'allowance.not_yet'
  | 'allowance.ended'
  | 'allowance.clock_back'
  | 'allowance.reference_reused';

export interface SpendAnswer {
  readonly outcome: 'ALLOW' | 'DENY';
  /** Why the part may not be spent; absent where it may. */
  readonly code?: SpendDenial;
  /** The same part was spent before: this is that answer again. */
  readonly repeated: boolean;
  readonly left: { readonly amount: WireMoney; readonly spends: number };
}

/** A clock may be put right by this much without anybody saying no. */
const clockBackMsMax = 2_000;

/**
 * Spends an allowance while nobody can be asked. Each yes is on the disk before it is given; after a crash the file is opened again and goes on.
 * Keep one file per allowance until `settle` with `close` has returned.
 */
export class AllowanceSpender {
  private turn: Promise<unknown> = Promise.resolve();
  private readonly opened: { readonly wallMs: number; readonly runningMs: number };

  private constructor(
    private readonly claims: AllowanceClaims,
    private readonly log: DurableLog<TallyLine>,
    private readonly tally: AllowanceTally,
    private readonly clocks: NonNullable<SpenderOptions['clocks']>,
  ) {
    this.opened = { wallMs: clocks.wallMs(), runningMs: clocks.runningMs() };
  }

  /** Refuses what `verifyAllowance` refuses, 409 `allowance.other` (the file is of another allowance) and `journal.damaged`. */
  static async open({ token, keys, issuer, holder, file, clocks = REAL }: SpenderOptions): Promise<AllowanceSpender> {
    const { value: claims } = await verifyAllowance(token, keys, { issuer, holder });
    const log = await DurableLog.open<TallyLine>(file);
    const spender = new AllowanceSpender(claims, log, new AllowanceTally(claims), clocks);
    try {
      await spender.claim(token, file);
      return spender;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  get allowanceId(): string {
    return this.claims.jti;
  }

  /** Everything that was said yes to, settled or not. A crash may leave one that was written and never heard: look here before paying again. */
  spends(): readonly TalliedSpend[] {
    return [...this.tally.spends.values()];
  }

  /** May this part be spent? The payment reference names it: asked again with the same amount, the same answer. */
  async spend(amount: WireMoney, reference: string): Promise<SpendAnswer> {
    return await this.inTurn(async () => {
      const { minor, currency } = parseMoney(amount);
      if (currency !== this.claims.amount.currency)
        throw new Refusal('unprocessable', 'currency.unsupported', `the allowance is in ${this.claims.amount.currency}`);
      await this.catchUp();
      const before = this.tally.spends.get(reference);
      if (before) return this.again(before, minor);
      const denial = this.denialOf(minor);
      if (denial) return this.no(denial);
      const id = randomUUID();
      await this.write({ kind: 'spent', id, reference, minor: minor.toString(), at: new Date(this.clocks.wallMs()).toISOString() });
      // Another process may have written before us: the file's order says who had the room.
      const written = this.tally.spends.get(reference);
      if (!written) return this.no('allowance.exceeded');
      return written.id === id ? this.yes(false) : this.again(written, minor);
    });
  }

  /**
   * Tells decision-api what was spent, each part once however often it is told. `close` ends the spending first and frees the rest.
   * @returns what became of each part told now; REFUSED ones were not covered: ask for a decision of their own
   */
  async settle(client: Pick<DecisionClient, 'settleAllowance'>, { close = false } = {}): Promise<readonly SpendResult[]> {
    return await this.inTurn(async () => {
      await this.catchUp();
      if (close && !this.tally.ended) await this.write({ kind: 'ended' });
      const open = this.spends().filter(({ settled }) => settled === undefined);
      const results: SpendResult[] = [];
      for (let i = 0; i < open.length; i += settledSpendsMax)
        results.push(...(await this.report(client, open.slice(i, i + settledSpendsMax))));
      if (close) await client.settleAllowance(this.claims.jti, { spends: [], close: true });
      return results;
    });
  }

  /** Closes its file, after what is under way. What stands in it is there when it is opened again. */
  async close(): Promise<void> {
    await this.inTurn(() => this.log.close());
  }

  private async claim(token: string, file: string): Promise<void> {
    await this.catchUp();
    if (this.tally.token === undefined) await this.write({ kind: 'granted', token });
    if (this.tally.token !== token)
      throw new Refusal('conflict', 'allowance.other', `${file} is the tally of another allowance: one file for each`);
  }

  private async report(client: Pick<DecisionClient, 'settleAllowance'>, parts: readonly TalliedSpend[]): Promise<readonly SpendResult[]> {
    const { currency } = this.claims.amount;
    const spends = parts.map(({ reference, minor, at }) => ({
      paymentReference: reference,
      at,
      amount: { amount: formatMinor(minor, currency), currency },
    }));
    const { results } = await client.settleAllowance(this.claims.jti, { spends });
    await this.write({ kind: 'settled', results });
    return results;
  }

  private denialOf(minor: bigint): SpendDenial | undefined {
    const wallMs = this.clocks.wallMs();
    const ranToMs = this.opened.wallMs + this.clocks.runningMs() - this.opened.runningMs;
    const floorMs = Math.max(ranToMs, this.tally.lastAtMs) - clockBackMsMax;
    if (wallMs < floorMs) return 'allowance.clock_back';
    if (Math.max(wallMs, ranToMs) >= this.claims.exp * 1000) return 'allowance.expired';
    if (wallMs < this.claims.nbf * 1000 - clockBackMsMax) return 'allowance.not_yet';
    if (this.tally.ended) return 'allowance.ended';
    return this.tally.hasRoom(minor) ? undefined : 'allowance.exceeded';
  }

  private again(before: TalliedSpend, minor: bigint): SpendAnswer {
    return before.minor === minor ? this.yes(true) : this.no('allowance.reference_reused');
  }

  private yes(repeated: boolean): SpendAnswer {
    return { outcome: 'ALLOW', repeated, left: this.left() };
  }

  private no(code: SpendDenial): SpendAnswer {
    return { outcome: 'DENY', code, repeated: false, left: this.left() };
  }

  private left(): SpendAnswer['left'] {
    const { currency } = this.claims.amount;
    return { amount: { amount: formatMinor(this.tally.leftMinor, currency), currency }, spends: this.tally.spendsLeft };
  }

  private async write(line: TallyLine): Promise<void> {
    await this.log.append(line);
    await this.catchUp();
  }

  private async catchUp(): Promise<void> {
    for (const line of await this.log.readNew()) this.tally.apply(line);
  }

  /** One at a time: a yes is given on what the one before has left. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return mine;
  }
}

const REAL = { wallMs: () => Date.now(), runningMs: () => performance.now() };
