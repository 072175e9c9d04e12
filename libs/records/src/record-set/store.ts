import type { JsonWebKey, SetPlace } from '#evidence';
import type { Fact, FactPosition } from '#kernel';

/** Items of a set, packed (`packItem` of evidence), at most `pageItemsMax`. */
export type ItemPage = Uint8Array;

export const pageItemsMax = 16_384;

/** Where a participant's set comes from. What stands below a log index never changes. */
export interface RecordSetSource {
  /** How many entries the log has under its last published checkpoint. */
  publishedSize(): Promise<bigint>;
  /** The items of the participant's records whose facts stand at [from, to) in the log. */
  collect(participant: string, from: bigint, to: bigint): AsyncIterable<ItemPage>;
  /** The pages kept of [0, `upTo`) at most, with the log index that each group of them reaches to. */
  kept(participant: string, upTo: bigint): AsyncIterable<{ readonly endIndex: bigint; readonly page: ItemPage }>;
  /** Keeps the pages of [from, to). Answers how far pages are kept now: elsewhere than `to` where another process was first. */
  keep(participant: string, from: bigint, to: bigint, pages: readonly ItemPage[]): Promise<bigint>;
  /** The records at these places, in any order. */
  recordsAt(participant: string, places: readonly number[]): Promise<HeldRecord[]>;
}

export interface HeldRecord {
  readonly jti: string;
  /** SHA-256 of the payload. */
  readonly id: Uint8Array;
  /** A compact JWS, or the payload of a line of a sealed batch. */
  readonly received: Uint8Array;
}

/** What both sides signed. */
export interface AgreedStatement extends SetPlace {
  readonly participant: string;
  readonly count: number;
  readonly root: Uint8Array;
  readonly ownHalf: Uint8Array;
  readonly key: JsonWebKey;
  readonly ourHalf: string;
  readonly position: FactPosition;
}

export interface SetStatementStore {
  find(participant: string, place: SetPlace): Promise<AgreedStatement | undefined>;
  /** Saves the statement with its fact. Where another was saved for this place meanwhile, nothing is saved and that one is answered. */
  add(fact: Fact, statement: (position: FactPosition) => AgreedStatement): Promise<{ statement: AgreedStatement; added: boolean }>;
  /** Newest first, the ones behind `after`. */
  list(participant: string, set: string, after: SetPlace | undefined, countMax: number): Promise<AgreedStatement[]>;
}
