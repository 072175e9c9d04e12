import type { GatewayClient } from '../gateway-client.js';
import { ProblemError } from '../problem-error.js';
import type { LocalRecords } from './local-records.js';
import { isJws } from './record-line.js';
import { idsPerCallMax, type RemoteSet } from './remote-set.js';

/** What healing did. */
export interface Healed {
  /** Records the gateway lacked and accepted now. */
  readonly submitted: number;
  /** Records it had already: accepted since the snapshot. */
  readonly repeated: number;
  /** Records we lacked and took. */
  readonly adopted: number;
  /** What could not be healed, with the gateway's code; `record.unsigned` for a bare payload, which needs its batch. */
  readonly refused: readonly { readonly id: string; readonly code: string; readonly detail: string }[];
}

const submissionsAtOnceMax = 16;
/** Said of one record; everything else concerns the whole and ends it. */
const ABOUT_A_RECORD = /^(record|link)\./;

export interface Difference {
  readonly have: readonly string[];
  readonly need: readonly string[];
}

export async function healSet(
  gateway: Pick<GatewayClient, 'send'>,
  remote: RemoteSet,
  local: LocalRecords,
  { have, need }: Difference,
): Promise<Healed> {
  const refused: { id: string; code: string; detail: string }[] = [];
  let [submitted, repeated, adopted] = [0, 0, 0];
  await inParallel(local.kept(have), submissionsAtOnceMax, async ({ id, line }) => {
    const code = isJws(line) ? await submit(gateway, line) : unsigned;
    if (code === 'ACCEPTED') submitted += 1;
    else if (code === 'REPEATED') repeated += 1;
    else refused.push({ id, ...code });
  });
  for (let at = 0; at < need.length;) {
    const wanted = need.slice(at, at + idsPerCallMax);
    const { records, unknown } = await remote.records(wanted);
    for (const record of records) await local.add(record);
    adopted += records.length;
    refused.push(...unknown.map((id) => ({ id, code: 'record.unknown', detail: 'the gateway does not hold what it said it holds' })));
    // What did not fit into one answer is found again by the next comparison.
    at += wanted.length;
  }
  return { submitted, repeated, adopted, refused };
}

const unsigned = { code: 'record.unsigned', detail: 'a bare payload is sent with the batch that it was sealed in' };

async function submit(
  gateway: Pick<GatewayClient, 'send'>,
  jws: string,
): Promise<'ACCEPTED' | 'REPEATED' | { code: string; detail: string }> {
  try {
    const { headers } = await gateway.send({ method: 'POST', path: '/v1/records', body: jws, contentType: 'application/jose' });
    return headers['idempotency-hit'] === 'true' ? 'REPEATED' : 'ACCEPTED';
  } catch (error) {
    if (error instanceof ProblemError && error.status < 500 && ABOUT_A_RECORD.test(error.code)) {
      return { code: error.code, detail: error.detail };
    }
    throw error;
  }
}

async function inParallel<T>(items: AsyncIterable<T>, countMax: number, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  let next = Promise.resolve();
  const take = (): Promise<IteratorResult<T>> => {
    const taken = next.then(() => iterator.next());
    next = taken.then(
      () => undefined,
      () => undefined,
    );
    return taken;
  };
  const worker = async () => {
    for (let item = await take(); !item.done; item = await take()) await work(item.value);
  };
  await Promise.all(Array.from({ length: countMax }, worker));
}
