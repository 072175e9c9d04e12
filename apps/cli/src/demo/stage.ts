import type { BankClient, SigningKey } from '#sdk';
import type { DecisionClient } from './decision-client.js';

/** One toy bank: its connection, its signing key and where its own record numbering stands. */
export interface ToyBank {
  readonly id: string;
  readonly client: BankClient;
  readonly key: SigningKey;
  nextSeq: number;
}

/** One step's effect to undo, to show that the demo notices. */
export const SABOTAGES = ['draft', 'violation', 'consent', 'dispute', 'statement', 'flip'] as const;
export type Sabotage = (typeof SABOTAGES)[number];

/** Everything the story acts on. */
export interface Stage {
  readonly bankA: ToyBank;
  readonly bankB: ToyBank;
  readonly checkout: DecisionClient;
  readonly sabotage: Sabotage | undefined;
  /** Its origin: who issues what banks are given. */
  readonly gateway: string;
  /** The gateway's public keys (JWKS), as a bank would have fetched them. */
  readonly jwks: { keys: Record<string, unknown>[] };
  /** Scratch folder for the export. */
  readonly scratch: string;
  /** Runs the command line tool as a user would. */
  run(args: readonly string[]): Promise<{ code: number; output: string }>;
}
