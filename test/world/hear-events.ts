import type { JsonObject } from '#evidence';
import type { GatewayWorld } from './gateway-world.js';

export interface HeardEvent {
  readonly id: string;
  /** As in `EVENT_KINDS`, e.g. `restriction.lifted`. */
  readonly kind: string;
  readonly body: JsonObject;
}

/** Takes what waits for a bank, acknowledges all of it, and tells what is of these families (`dispute` takes `dispute.opened`, …). */
export async function hearEvents(world: GatewayWorld, bank: string, families: readonly string[]): Promise<HeardEvent[]> {
  const told = await poll(world, bank, { maxEvents: 100, ack: [] });
  await poll(world, bank, { maxEvents: 0, ack: told.map(({ id }) => id) });
  return told.filter(({ kind }) => families.includes(kind.split('.')[0]!));
}

async function poll(
  world: GatewayWorld,
  bank: string,
  wish: { readonly maxEvents: number; readonly ack: readonly string[] },
): Promise<HeardEvent[]> {
  const call = world.call(world.client(bank), '/v1/events/poll', 'post').send({ returnImmediately: true, ...wish });
  const { sets } = (await call.expect(200)).body as { sets: Record<string, string> };
  return Object.entries(sets).map(([id, set]) => {
    const { events } = JSON.parse(Buffer.from(set.split('.')[1]!, 'base64url').toString()) as { events: Record<string, JsonObject> };
    const [uri, body] = Object.entries(events)[0]!;
    return { id, kind: uri.split(':').at(-1)!, body };
  });
}
