import type { SubjectKind } from '#contract';
import type { ShardedId } from '#kernel';

/** BANK_NOTICE is shown and told to the banks; like WARN it changes no outcome. */
export type LadderStep = 'WARN' | 'LIMIT_CUT' | 'SERVICE_STOP' | 'CLOSURE' | 'BANK_NOTICE';

/** One step of the ladder in force against a subject. It counts from `startsAt` up to, not including, `endsAt`. */
export interface Restriction {
  readonly id: string;
  readonly step: LadderStep;
  /** Empty: all services. */
  readonly services: readonly string[];
  /** LIMIT_CUT: what is left of every amount limit, in percent. Where `limitMinor` is given too, the smaller of both counts. */
  readonly limitPercent?: number;
  /** LIMIT_CUT: the most that any amount limit may be, in minor units of `currency`. */
  readonly limitMinor?: bigint;
  readonly currency?: string;
  readonly reason: { readonly code: string; readonly text: string };
  readonly startsAt: Date;
  readonly endsAt?: Date;
  /** What ends it before its term. */
  readonly cure?: { readonly code: string; readonly text: string };
  /** Up to here the subject may appeal. */
  readonly appealUntil?: Date;
  /** The record that it comes from is disputed. */
  readonly disputed?: true;
}

export interface Factor {
  readonly code: string;
  readonly text: string;
}

/** What a subject may be trusted with now. `version` grows with every change of score, factors or restrictions. */
export interface Standing {
  readonly subject: ShardedId;
  readonly kind: SubjectKind;
  readonly version: bigint;
  readonly score: {
    readonly value: number;
    /** The scorecard's version. */
    readonly version: string;
    /** A record in force is disputed: until that is settled it counts as the policy says. */
    readonly disputed?: true | undefined;
  };
  /** Why the score is not higher, the weightiest first. */
  readonly factors: readonly Factor[];
  readonly restrictions: readonly Restriction[];
}

export interface StandingReader {
  /** One answer per subject, in order; undefined for a subject that is not registered. */
  load(subjects: readonly ShardedId[]): Promise<(Standing | undefined)[]>;
}
