import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId, type ShardedId, shardOf } from '#kernel';
import { REQUEST_TIMEOUTS } from '#platform/adapters/http-app';
import { PgBatchStore } from '#records/adapters/pg-batch-store';
import { largeTransfersMax } from '../../apps/gateway/src/channel/large-transfers.js';
import { type GatewayWorld, openGatewayWorld } from '../world/gateway-world.js';
import { until } from '../world/worker-world.js';

const REQUEST_MS = 500;
const LINES = 60_000;

let world: GatewayWorld;
let url: string;

beforeAll(async () => {
  world = await openGatewayWorld({ timeouts: { ...REQUEST_TIMEOUTS, requestMs: REQUEST_MS } });
  url = `/v1/record-batches/${formatId('bat', await refusedBatch())}/results`;
}, 60_000);
afterAll(() => world?.close());

/** A batch of bank-a, all of whose lines were refused at length: some megabytes of results. */
async function refusedBatch(): Promise<ShardedId> {
  const id = { shard: shardOf('bank-a'), uuid: '01890000-0000-7000-8000-000000000001' };
  const { database } = world.fresh;
  const lines = { digest: 'ab'.repeat(32), sizeBytes: 1, linesTotal: LINES, nextLine: 1, nextByte: 0 };
  const batch = {
    id,
    participant: 'bank-a',
    certificate: undefined,
    manifest: undefined,
    faults: undefined,
    receivedAt: new Date(),
    ...lines,
  };
  await new PgBatchStore(database).receive(batch, [
    { shard: id.shard, kind: 'batch.received', participant: 'bank-a', body: { batch: formatId('bat', id), digest: lines.digest } },
  ]);
  await database.query(
    `INSERT INTO record_batch_lines (shard, batch, line, outcome, code, detail) SELECT $1, $2, n, 'REFUSED', 'x', repeat('y', 400) FROM generate_series(1, $3) n`,
    [id.shard, id.uuid, LINES],
  );
  return id;
}

function connect(): tls.TLSSocket {
  const { ca, cert, key } = world.client('bank-a');
  const socket = tls.connect({ host: '127.0.0.1', port: world.port, servername: 'localhost', ca, cert, key });
  return socket.on('error', () => undefined);
}

const asked = (count: number) => `GET ${url} HTTP/1.1\r\nHost: localhost:${world.port}\r\n\r\n`.repeat(count);
const status = async (path: string) => (await world.call(world.client('bank-a'), path).buffer(true)).status;
/** Files in the spool of this process; they have no name any more. */
const spooled = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${world.home}/spool/`);
    } catch {
      return false;
    }
  }).length;

/** Holds up whoever asks for the lines until it is let go. */
async function holdUp() {
  const client = await world.fresh.database.pool.connect();
  // As the owner: the applications' role may not lock a table, nor see who waits for it.
  await client.query('BEGIN; SET LOCAL ROLE NONE; LOCK TABLE record_batch_lines IN ACCESS EXCLUSIVE MODE');
  // Each look is a new one: within a transaction the server would show the first again.
  const waiting = `SELECT 1 FROM pg_stat_clear_snapshot(), pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return {
    isFelt: async () => (await client.query(waiting)).rowCount! > 0 || undefined,
    letGo: () => void client.query('ROLLBACK').then(() => client.release()),
  };
}

describe.skipIf(!existsSync('/proc/self/fd'))('a caller of large results', () => {
  it('gets them also where it takes longer to gather them than a request may take to come', async () => {
    const { letGo } = await holdUp();
    const answer = status(`${url}?limit=10`);
    setTimeout(letGo, 3 * REQUEST_MS);
    expect(await answer).toBe(200);
  });

  it('that hangs up while they are gathered leaves no file behind, and nobody goes on gathering', async () => {
    const socket = connect();
    socket.write(asked(1));
    await until(async () => spooled() > 0 || undefined);
    socket.destroy();
    await until(async () => spooled() === 0 || undefined);
  });

  it('has as many places as before when it hung up with all of them taken, on one connection', async () => {
    const { isFelt, letGo } = await holdUp();
    const socket = connect();
    socket.write(asked(largeTransfersMax - 1));
    await until(isFelt);
    socket.destroy();
    letGo();
    await until(async () => spooled() === 0 || undefined);
    const again = await Promise.all(Array.from({ length: largeTransfersMax }, () => status(`${url}?limit=1`)));
    expect(again).toEqual(Array<number>(largeTransfersMax).fill(200));
  });
});
