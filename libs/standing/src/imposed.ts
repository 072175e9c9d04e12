import type { Restriction } from './standing.js';

/**
 * Why a restriction ended: its bank cleared, withdrew or corrected the record; its term was over; an appeal was upheld by us; staff lifted it;
 * its record is disputed and the policy suspends it meanwhile.
 */
export type LiftedWhy = 'CLEARED' | 'WITHDRAWN' | 'CORRECTED' | 'ENDED' | 'OVERTURNED' | 'LIFTED' | 'DISPUTED';

/** A chain of corrections, named by its issuer and its first record. */
export interface Chain {
  readonly iss: string;
  readonly rootJti: string;
}

/** A restriction with where it comes from and who was told. It keeps the terms under which it was imposed. */
export interface ImposedRestriction extends Restriction {
  /** The reported violation; absent where a person imposed it. */
  readonly cause?: Chain;
  /** What shows that it is right: SHA-256 (hex) of the evidence, and where the evidence is. */
  readonly evidence: { readonly digest: string; readonly reference: string };
  /** Where the rule comes from: `built-in`, `policy <version>` or `by hand`. */
  readonly ladder: string;
  readonly rung?: string;
  /** The links whose banks were told, and are to be told of its end (CONTRACT.md §6). */
  readonly told: readonly string[];
}

export interface LiftedRestriction {
  readonly restriction: ImposedRestriction;
  readonly why: LiftedWhy;
}

/** What was made of a violation in force. It is judged once: a new ladder changes nothing of it, and a served term is never served again. */
export interface JudgedViolation extends Chain {
  /** The record of the chain that was judged; another one, a correction, is judged anew. */
  readonly jti: string;
  /** Earlier violations for which it climbed. Where one of them falls away before its time, it is judged anew. */
  readonly counted: readonly (Chain & { readonly validUntil: string })[];
  /** An appeal was successful: it costs nothing any more and counts for nothing. */
  readonly overturned?: true;
}

export function isSameChain(a: Chain | undefined, b: Chain): boolean {
  return a?.rootJti === b.rootJti && a.iss === b.iss;
}
