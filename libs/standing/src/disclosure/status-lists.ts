import { encodeStatusList, STATUS_LIST_TYP } from '#evidence';
import { type Clock, isShard, Refusal, type Shard } from '#kernel';
import type { Notary } from '../notary.js';
import { factsOfList, listEntries, listPlace, listUri } from './list-place.js';
import type { StatusReader } from './store.js';

/** How long a list may be used before it is fetched again. */
const listTtlSeconds = 60;
const listLifeSeconds = 3_600;
/** Within this time a list is not read again from the database. */
const rememberedMs = 2_000;
const rememberedMax = 200;

interface Remembered {
  readonly at: Date;
  readonly list: Promise<ReturnType<typeof encodeStatusList>>;
}

/** The lists by which anybody can tell whether a credential still stands (Token Status List, draft-ietf-oauth-status-list). */
export class StatusLists {
  private readonly remembered = new Map<string, Remembered>();

  constructor(
    private readonly reader: StatusReader,
    private readonly notary: Notary,
    private readonly clock: Clock,
  ) {}

  /** A signed `statuslist+jwt` for this reader. Refuses 404 `status_list.unknown`. */
  async token(shard: number, list: number, readerOf: string): Promise<string> {
    if (!isShard(shard) || !Number.isSafeInteger(list) || list < 0) throw unknownList();
    const { at, list: found } = this.find(shard, list);
    const iat = Math.floor(at.getTime() / 1_000);
    const claims = {
      sub: listUri(this.notary.issuer, shard, list),
      iss: this.notary.issuer,
      iat,
      exp: iat + listLifeSeconds,
      ttl: listTtlSeconds,
    };
    return this.notary.sign(STATUS_LIST_TYP, { ...claims, status_list: await found }, readerOf);
  }

  private find(shard: Shard, list: number): Remembered {
    const name = `${shard}/${list}`;
    const at = this.clock.now();
    const known = this.remembered.get(name);
    if (known && Math.abs(at.getTime() - known.at.getTime()) < rememberedMs) return known;
    const fresh = { at, list: this.read(shard, list, at) };
    this.remembered.delete(name);
    this.remembered.set(name, fresh);
    if (this.remembered.size > rememberedMax) this.remembered.delete(this.remembered.keys().next().value!);
    fresh.list.catch(() => this.remembered.delete(name));
    return fresh;
  }

  private async read(shard: Shard, list: number, at: Date): Promise<ReturnType<typeof encodeStatusList>> {
    const { from, before } = factsOfList(list);
    const [named, secrets] = await Promise.all([this.reader.named(shard, from, before, at), this.reader.secrets()]);
    if (!named) throw unknownList();
    const places = named.map(({ factSeq, status }) => [listPlace(factSeq, secrets.get(shard)!, this.notary).index, status] as const);
    return encodeStatusList(listEntries, places);
  }
}

function unknownList(): Refusal {
  return new Refusal('not_found', 'status_list.unknown', 'there is no status list of this name');
}
