import grpc from '@grpc/grpc-js';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '#evidence';
import { type DecisionWorld, decisionWorld, newKey, reserveBody } from '../world/decision-world.js';

/** A release replaces decision-api one process at a time: nobody who speaks gRPC with it may be left guessing. */
describe('decision-api ends while gRPC calls are under way', () => {
  let world: DecisionWorld;
  let client: grpc.Client & {
    decideStream(metadata: grpc.Metadata): grpc.ClientDuplexStream<object, { tag: string; answer?: JsonObject }>;
  };
  let heads: pg.Client;

  beforeAll(async () => {
    world = await decisionWorld();
    const Service = grpc.makeGenericClientConstructor(world.methods, 'DecisionService');
    client = new Service(`127.0.0.1:${world.config.DECISION_GRPC_PORT}`, grpc.credentials.createInsecure()) as never;
    heads = new pg.Client({ connectionString: world.fresh.url });
    await heads.connect();
  });
  afterAll(async () => {
    client.close();
    await heads.end();
    await world.close();
  });

  it('answers what it has read, then ends streams with UNAVAILABLE, so that the rest is asked of another process', async () => {
    const subject = await world.newSubject();
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${world.token()}`);
    const ask = (tag: number) => ({ ...reserveBody(subject), idempotencyKey: newKey(), tag });
    const stream = client.decideStream(metadata);
    const idle = client.decideStream(metadata);
    const answers: string[] = [];
    stream.on('data', ({ tag, answer }) => answers.push(`${tag} ${answer?.['outcome'] ?? 'problem'}`));
    idle.on('data', () => undefined);
    const ends = [stream, idle].map((one) => new Promise<grpc.ServiceError>((resolve) => one.on('error', resolve as never)));

    await heads.query('BEGIN; SELECT shard FROM shard_heads ORDER BY shard FOR UPDATE');
    const unary = world.grpc('decide', ask(0));
    await expect.poll(waitingForHeads, { timeout: 20_000 }).toBe(1);
    for (const tag of [1, 2, 3]) stream.write(ask(tag));
    // The ledger is not asked about this one: once it is answered, those before it have been read.
    stream.write({ ...ask(4), service: 'teleport' });
    await expect.poll(() => answers, { timeout: 20_000 }).toEqual(['4 problem']);
    const closed = world.app.close();
    await heads.query('COMMIT');

    expect((await unary)['outcome']).toBe('ALLOW');
    for (const end of ends) {
      const { code, metadata: trailer } = await end;
      expect([code, trailer.get('tallystick-code')]).toEqual([grpc.status.UNAVAILABLE, ['door.stopping']]);
    }
    await closed;
    expect(answers.sort()).toEqual(['1 ALLOW', '2 ALLOW', '3 ALLOW', '4 problem']);
  });

  /** Statements that wait for a lock that `heads` holds. */
  async function waitingForHeads(): Promise<number> {
    const { rowCount } = await heads.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
    return rowCount ?? 0;
  }
});
