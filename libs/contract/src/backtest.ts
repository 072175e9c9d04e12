import { z } from 'zod';
import type { Outcome } from './decision.js';
import { parseStrictly } from './strict-parse.js';

/** Recorded history decided again, and versions in shadow, as services see them (CONTRACT.md §6). */

const time = z.iso.datetime();

const policyVersionSchema = z.string().regex(/^[1-9][0-9]{0,14}$/);

export const backtestRequestSchema = z
  .strictObject({
    version: policyVersionSchema.optional().describe('a drafted version of the policy'),
    document: z
      .looseObject({})
      .optional()
      .describe('or a policy that is not drafted; without both, each decision by the version that took it'),
    from: time.optional().describe('included; earlier decisions count as they really did'),
    to: time.optional().describe('excluded'),
    assume: z.enum(['CONFIRMED', 'EXPIRED']).optional().describe('of amounts that would be held and were really denied'),
    begin: z.enum(['CONTINUE', 'COUNTED']).optional().describe('with from: limits go on by their names, or as if they had always counted'),
  })
  .refine(({ version, document }) => version === undefined || document === undefined, {
    path: ['document'],
    message: 'name a version or give a document',
  });

export type WireBacktestRequest = z.output<typeof backtestRequestSchema>;

/** Reads what a back-test is asked. Refuses 400 `backtest.malformed` with the field. */
export function parseBacktestRequest(body: unknown): WireBacktestRequest {
  return parseStrictly(backtestRequestSchema, body ?? {}, 'backtest.malformed');
}

/** Amounts are decimal, in the tally's currency. REFUSED: the other policy would not have judged it at all. */
export interface TallyCell {
  readonly was: Outcome;
  readonly would: Outcome | 'REFUSED';
  readonly count: number;
  readonly amount: string;
}

/** What deciding again under another policy found; the most changed names first. */
export interface TallyAnswer {
  readonly currency: string;
  readonly decisions: { readonly count: number; readonly amount: string };
  readonly differing: { readonly outcome: number; readonly computed: number; readonly discount: number; readonly reasons: number };
  /** What would have been held and was really denied. */
  readonly assumed: { readonly count: number; readonly amount: string };
  readonly discount: { readonly was: string; readonly would: string };
  readonly matrix: readonly TallyCell[];
  readonly byTier: readonly { readonly name: string; readonly count: number; readonly changes: readonly TallyCell[] }[];
  readonly byBand: readonly { readonly name: string; readonly count: number; readonly changes: readonly TallyCell[] }[];
  readonly reasons: readonly { readonly name: string; readonly was: number; readonly would: number }[];
  readonly limits: readonly { readonly name: string; readonly was: number; readonly would: number }[];
  readonly examples: readonly {
    readonly decision: string;
    readonly at: string;
    readonly service: string;
    readonly tier: string;
    readonly amount: string;
    readonly was: Outcome;
    readonly would: Outcome | 'REFUSED';
    readonly why: string;
  }[];
}

export interface BacktestAnswer {
  /** `bkt_…` */
  readonly id: string;
  readonly state: 'REQUESTED' | 'RUNNING' | 'DONE' | 'FAILED' | 'CANCELLED';
  readonly requestedBy: string;
  readonly requestedAt: string;
  /** Absent: each decision by the version that took it. */
  readonly policy?: { readonly id: string; readonly version: string; readonly hash: string } | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly assume: 'CONFIRMED' | 'EXPIRED';
  readonly begin: 'CONTINUE' | 'COUNTED';
  /** Decisions read, and how many there are; a total of 0: not begun. */
  readonly progress: { readonly done: number; readonly total: number };
  readonly finishedAt?: string | undefined;
  /** Why it failed. */
  readonly problem?: string | undefined;
}

export interface BacktestReportAnswer extends BacktestAnswer {
  readonly report: {
    readonly found: TallyAnswer;
    /** What is not known and was taken for granted, in words. */
    readonly assumptions: readonly string[];
    /** SHA-256 over every decision and settlement read, and the last number of each shard. */
    readonly history: { readonly digest: string; readonly bounds: readonly { readonly shard: number; readonly seq: string }[] };
  };
}

export interface ShadowAnswer {
  readonly version: string;
  readonly state: string;
  readonly since: string;
  /** Facts that are not compared yet. */
  readonly behind: number;
  readonly found: TallyAnswer;
  readonly assumptions: readonly string[];
}
