import { generateKeyPairSync } from 'node:crypto';
import { createEd25519Signer, nodeCrypto, type Signer } from '#evidence';
import { SHARDS, type Shard } from '#kernel';
import { LogEntries } from '../log-entries.js';
import { Sealer } from '../sealer.js';
import type { Alarms, FactSource, LogFiles, LogStore } from '../store.js';
import { TileFiles } from '../tile-files.js';
import { MemoryAlarms, MemoryFacts, MemoryLogFiles, MemoryLogStore } from './memory-log.js';

/** Everything that a sealing test needs, over memory or over PostgreSQL. */
export interface SealingWorld {
  readonly store: LogStore;
  readonly files: LogFiles & Pick<MemoryLogFiles, 'tiles' | 'checkpoint' | 'anchor'>;
  readonly sources: readonly FactSource[];
  readonly alarms: Alarms;
  readonly signer: Signer;
  addFacts(shard: Shard, count: number): Promise<void>;
  /** What no application can do: a hole in a shard's numbers. */
  removeFact(shard: Shard, seq: bigint): Promise<void>;
  close(): Promise<void>;
}

export const newSigner = (): Signer => createEd25519Signer(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));

export const [shardA, shardB, shardC] = [SHARDS[0], SHARDS[5], SHARDS[31]] as const;

export function memoryWorld(): SealingWorld & { readonly facts: MemoryFacts; readonly store: MemoryLogStore } {
  const facts = new MemoryFacts();
  return {
    facts,
    store: new MemoryLogStore(facts),
    files: new MemoryLogFiles(),
    sources: [facts],
    alarms: new MemoryAlarms(),
    signer: newSigner(),
    addFacts: async (shard, count) => {
      for (let i = 0; i < count; i++) facts.add(shard);
    },
    removeFact: (shard, seq) => Promise.resolve(facts.remove(shard, seq)),
    close: () => Promise.resolve(),
  };
}

/** A sealer as a fresh process has it: nothing remembered. Parts can be swapped for ones that fail. */
export function newSealer(
  world: SealingWorld,
  swapped: { store?: LogStore; files?: LogFiles } = {},
  newOrigin = 'tallystick.test/log',
): Sealer {
  const { store, files } = { ...world, ...swapped };
  const entries = new LogEntries(nodeCrypto, store, world.sources);
  const tiles = new TileFiles(nodeCrypto, store, entries);
  return new Sealer({ ...world, store, files, tiles, crypto: nodeCrypto, newOrigin });
}

/** The object with its methods, around which `meanwhile` happens: before and after each call of those named. */
export function interrupted<T extends object>(target: T, methods: readonly string[], meanwhile: () => Promise<unknown>): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== 'function' || !methods.includes(String(name))) return value;
      return async (...args: unknown[]) => {
        await meanwhile();
        const result: unknown = await (value.apply(object, args) as Promise<unknown>);
        await meanwhile();
        return result;
      };
    },
  });
}

export class Crash extends Error {}

/** The object with its methods, except that call number `nth` of those named dies: before it is made, or after it took effect. */
export function crashing<T extends object>(
  target: T,
  methods: readonly string[],
  countdown: { left: number },
  when: 'before' | 'after',
): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        const dies = methods.includes(String(name)) && --countdown.left === 0;
        if (dies && when === 'before') throw new Crash(`before ${String(name)}`);
        const result: unknown = await (value.apply(object, args) as Promise<unknown>);
        if (dies) throw new Crash(`after ${String(name)}`);
        return result;
      };
    },
  });
}
