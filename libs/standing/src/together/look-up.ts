import { identityOf, judgeClaim, type RecordIdentity } from '#records';
import type { TogetherAnswer } from './accept-together.js';
import { nameOf, type TakenName } from './names.js';
import type { Arrival, TogetherExchange } from './together-books.js';

/**
 * What became of records whose transaction did not answer. Their subjects are held first: where it is still under way, it is waited for. One that
 * is there with these very bytes was accepted; undefined for all others.
 */
export async function lookUp(exchange: TogetherExchange, arrivals: readonly Arrival[]): Promise<readonly (TogetherAnswer | undefined)[]> {
  const identities = arrivals.map(({ incoming }) => identityOf(incoming.value));
  return await exchange.together(async (books) => {
    await books.meet(
      identities.map(({ ref }) => ref),
      [],
    );
    const taken = new Map((await books.taken(identities)).map((one) => [nameOf(one), one]));
    const found = identities.filter((identity) => isSame(taken.get(nameOf(identity)), identity));
    const receipts = await books.receipts(found);
    return identities.map((identity) => {
      const receipt = found.includes(identity) ? receipts.get(nameOf(identity)) : undefined;
      return receipt === undefined ? undefined : { receipt, repeated: false };
    });
  });
}

function isSame(known: TakenName | undefined, identity: RecordIdentity): boolean {
  return known !== undefined && judgeClaim({ outcome: 'known', payloadDigest: known.payloadDigest }, identity) === 'repetition';
}
