import type { EventKind } from '#contract';
import type { Fact, ShardedId } from '#kernel';
import type { EventFailure } from '../store.js';
import type { Webhook } from './webhook.js';

/** An event that was given up after three days. It can still be polled, and be sent again. */
export interface DeadLetter {
  readonly participant: string;
  readonly event: string;
  readonly kind: EventKind;
  readonly ref: ShardedId;
  readonly at: Date;
  readonly deadAt: Date;
  readonly failures: number;
  readonly failure: EventFailure;
}

/** What a participant was told and has not taken, counted up to `countedMax`. One meaning here, at /metrics and at the console. */
export interface Backlog {
  /** Not acknowledged, dead letters apart. */
  readonly waiting: number;
  /** Of those, what was pushed in vain. */
  readonly failing: number;
  readonly dead: number;
}

export const countedMax = 10_000;

/** Undefined: nothing changes. */
export type WebhookRule = (known: Webhook | undefined) => { readonly next: Webhook | undefined; readonly fact: Fact } | undefined;

/** Webhooks as they stand in PostgreSQL, for whoever registers and looks after them. */
export interface WebhookBook {
  find(participant: string): Promise<Webhook | undefined>;
  list(): Promise<Webhook[]>;
  /**
   * Loads, applies the rule and saves what it answers with its fact, in one transaction that no other change of this webhook can enter. Whoever
   * works on it loses its lease. `next` undefined: it is removed.
   */
  change(participant: string, rule: WebhookRule): Promise<Webhook | undefined>;
  /** A webhook that waits for its next try is tried at once. */
  hurry(participant: string): Promise<void>;
  backlog(participants: readonly string[]): Promise<Map<string, Backlog>>;
  /** The longest dead first; `after`: the last of the page before, which may have been sent again meanwhile. */
  deadLetters(participants: readonly string[], countMax: number, after?: Pick<DeadLetter, 'deadAt' | 'event'>): Promise<DeadLetter[]>;
  /** These dead letters of the participant, or all, wait to be pushed as if they were new; one fact says who asked. Answers how many. */
  resend(participant: string, events: readonly string[] | undefined, by: string, at: Date): Promise<number>;
  /** Gives up what nobody took since `before`, with a fact for each. Answers how many, `countMax` at most. */
  giveUp(before: Date, at: Date, countMax: number): Promise<number>;
  /** Participants to whom something may be sent at `at` and on whom nobody works. `probe`: their endpoint is in trouble, or not confirmed. */
  due(at: Date): Promise<readonly DueWebhook[]>;
}

export interface DueWebhook {
  readonly participant: string;
  readonly epoch: bigint;
  readonly probe: boolean;
}
