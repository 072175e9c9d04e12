import { formatFactId, type IdPrefix, isUuid, parseId, Refusal, type Shard, type ShardedId, SHARDS } from '#kernel';

/** What a pasted text can name. */
export type SearchKey =
  | {
      readonly kind: 'decision' | 'reservation' | 'subject' | 'link' | 'consent' | 'dispute' | 'event' | 'reconciliation';
      readonly id: ShardedId;
    }
  | { readonly kind: 'fact'; readonly shard: Shard; readonly seq: bigint }
  | { readonly kind: 'uuid'; readonly uuid: string }
  | { readonly kind: 'reference'; readonly reference: string };

type IdKind = Extract<SearchKey, { id: ShardedId }>['kind'];

const KINDS: Readonly<Partial<Record<IdPrefix, IdKind>>> = {
  dec: 'decision',
  rsv: 'reservation',
  sub: 'subject',
  lnk: 'link',
  cns: 'consent',
  dsp: 'dispute',
  evt: 'event',
  rec: 'reconciliation',
  stm: 'reconciliation',
};

const ID_FORM = /^([a-z]{3})_[0-9a-z]{27}$/;
const FACT_FORM = /^fct_([0-9a-z])([0-9]{1,18})$/;

/** What every rail carries in EndToEndId (contract/decision.ts): the widest form of all, so it is tried last. */
const REFERENCE_FORM = /^[A-Za-z0-9/\-?:().,'+ ]{1,35}$/;

const SHARD_OF_CHARACTER = new Map(SHARDS.map((shard) => [formatFactId(shard, 0n).charAt(4), shard]));

/** Understands a pasted text. Refuses `search.not_an_id` (400) and, for a mistyped id of ours, `id.malformed`. */
export function parseSearch(pasted: string): SearchKey {
  const text = pasted.trim();
  return (
    parseOwnId(text) ??
    parseFactId(text) ??
    parseUuid(text) ??
    parseReference(text) ??
    refuse('paste an id such as dec_…, a record’s jti, or a payment reference of at most 35 characters')
  );
}

function parseOwnId(text: string): SearchKey | undefined {
  const prefix = ID_FORM.exec(text)?.[1] as IdPrefix | undefined;
  const kind = prefix && KINDS[prefix];
  return kind && { kind, id: parseId(prefix, text) };
}

function parseFactId(text: string): SearchKey | undefined {
  const parts = FACT_FORM.exec(text);
  const shard = parts ? SHARD_OF_CHARACTER.get(parts[1]!) : undefined;
  return shard === undefined ? undefined : { kind: 'fact', shard, seq: BigInt(parts![2]!) };
}

function parseUuid(text: string): SearchKey | undefined {
  const uuid = text.toLowerCase();
  return isUuid(uuid) ? { kind: 'uuid', uuid } : undefined;
}

function parseReference(text: string): SearchKey | undefined {
  return REFERENCE_FORM.test(text) ? { kind: 'reference', reference: text } : undefined;
}

function refuse(detail: string): never {
  throw new Refusal('malformed', 'search.not_an_id', detail, { field: 'id' });
}
