import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { shardOf, uuidV7 } from '#kernel';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';

const LIST = '/v1/webhooks/dead-letters';
const died = Date.parse('2026-11-22T08:00:00.000Z');

interface Page {
  readonly deadLetters: readonly { readonly jti: string; readonly deadAt: string }[];
  readonly next?: string;
}

let world: GatewayWorld;
/** Of bank A, in the order of their death: the second and the third died together. */
let letters: string[];

beforeAll(async () => {
  world = await openGatewayWorld();
  letters = [];
  for (const minute of [0, 1, 1, 2]) letters.push(await deadLetter('bank-a', minute));
  letters = [letters[0]!, ...letters.slice(1, 3).sort(), letters[3]!];
  await deadLetter('bank-b', 0);
});
afterAll(() => world.close());

async function deadLetter(participant: string, minute: number): Promise<string> {
  const [event, at] = [uuidV7(died, randomBytes(10)), new Date(died + minute * 60_000)];
  const values = [shardOf(participant), participant, event, at, minute * 1_000 + randomBytes(1)[0]!, uuidV7(died, randomBytes(10))];
  await world.fresh.database.query(
    `WITH told AS (
       INSERT INTO events (shard, participant_id, id, at, origin_shard, origin_seq, kind, subject_ref, body)
       VALUES ($1, $2, $3, $4, 0, $5, 'rating.changed', $6, '{}') RETURNING id)
     INSERT INTO event_pushes (shard, participant_id, event, subject_ref, at, origin_shard, origin_seq, failures, first_failed_at, refused, failure,
                               retry_at, dead_at)
     SELECT $1, $2, id, $6, $4, 0, $5, 3, $4, false, '{"err":"timeout"}', $4, $4 FROM told`,
    values,
  );
  return event;
}

async function page(query: string): Promise<Page> {
  return (await world.call(world.client('bank-a'), `${LIST}?${query}`).expect(200)).body as Page;
}
const idsOf = ({ deadLetters }: Page) => deadLetters.map(({ jti }) => jti);

it.each([1, 2, 3, 4, 5])('all of a bank’s, and no other’s, come page by page, %i at a time', async (limit) => {
  const found: string[] = [];
  let pages = 0;
  for (let after = ''; ; pages++) {
    const one = await page(`limit=${limit}${after}`);
    found.push(...idsOf(one));
    if (one.next === undefined) break;
    expect(one.deadLetters).toHaveLength(limit);
    after = `&after=${one.next}`;
  }
  expect(found).toEqual(letters);
  expect(pages + 1).toBe(Math.ceil(letters.length / limit));
});

it.each(['after=', 'after=x', `after=${uuidV7(died, randomBytes(10))}`, 'after=1.x', 'limit=0', 'limit=201'])(
  '?%s is refused',
  async (query) => {
    const { status, body } = await world.call(world.client('bank-a'), `${LIST}?${query}`);
    expect([status, (body as { code: string }).code]).toEqual([400, 'query.malformed']);
  },
);

it('the next page is found although the one before was sent again meanwhile', async () => {
  const first = await page('limit=2');
  await world.fresh.database.query(`UPDATE event_pushes SET dead_at = NULL WHERE event = ANY ($1)`, [idsOf(first)]);
  expect(idsOf(await page(`limit=2&after=${first.next}`))).toEqual(letters.slice(2));
});
