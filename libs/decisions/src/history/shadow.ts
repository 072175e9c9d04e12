import type { Shard } from '#kernel';
import type { PolicyState } from '#policies';
import type { SimulatedHold, SimulatedUsage } from './simulated-counters.js';
import type { TallyJson } from './tally.js';

/** One version on one shard. */
export interface ShadowTask {
  readonly shard: Shard;
  readonly version: bigint;
}

export interface ShadowCursor {
  /** Everything up to this number is compared. */
  readonly seq: bigint;
  /** The last number that is compared, where the shadow has ended. */
  readonly endedAfter: bigint | undefined;
  readonly tally: TallyJson | undefined;
}

/** What a shadow keeps of subjects. */
export interface ShadowState {
  /** By subject. */
  readonly usage: ReadonlyMap<string, readonly SimulatedUsage[]>;
  readonly holds: ReadonlyMap<string, readonly SimulatedHold[]>;
}

/** What a step changed. */
export interface ShadowChange {
  readonly newSubjects: readonly string[];
  readonly usage: readonly (SimulatedUsage & { readonly subject: string })[];
  readonly holds: readonly (SimulatedHold & { readonly subject: string })[];
  /** UUIDs of holds that nothing can happen to any more. */
  readonly endedHolds: readonly string[];
  /** What nothing asks for from this time on may go. Undefined: nothing happened. */
  readonly at: Date | undefined;
}

/** A shadow's counters inside one transaction; nobody else moves its cursor meanwhile. */
export interface ShadowShelf {
  readonly cursor: ShadowCursor;
  /** Which of these subjects have come in already. */
  known(subjects: readonly string[]): Promise<ReadonlySet<string>>;
  /** What still counts at `at`, every open hold of these subjects and the holds named. */
  load(subjects: readonly string[], decisions: readonly string[], at: Date): Promise<ShadowState>;
  save(change: ShadowChange): Promise<void>;
  moveTo(seq: bigint, tally: TallyJson | undefined): Promise<void>;
  /** Removes counters of an ended shadow. True: some may be left. */
  clear(subjectsMax: number): Promise<boolean>;
}

export interface ShadowStanding {
  readonly version: bigint;
  readonly state: PolicyState;
  readonly since: Date;
  readonly currency: string;
  readonly decided: TallyJson;
  /** Numbers that are not compared yet, decisions and other facts alike. */
  readonly behind: bigint;
}

export interface ShadowStore {
  /** Where there is something to do. */
  behind(): Promise<ShadowTask[]>;
  /** Undefined: another worker is at it. Saves all of it or nothing. */
  transaction<T>(task: ShadowTask, work: (shelf: ShadowShelf) => Promise<T>): Promise<T | undefined>;
  cursors(version: bigint): Promise<readonly ShadowCursor[]>;
  /** How many numbers of this version's history are not compared yet. */
  countBehind(version: bigint): Promise<bigint>;
}
