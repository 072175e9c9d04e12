import type { Fact } from '#kernel';
import type { PolicyChange, PolicyVersion } from '../lifecycle.js';
import type { PolicyBook, PolicyShelf } from '../store.js';

/** The policy book in memory: one transaction at a time, all or nothing. */
export class MemoryPolicyBook implements PolicyBook {
  private versions = new Map<bigint, PolicyVersion>();
  facts: readonly Fact[] = [];
  private turn: Promise<unknown> = Promise.resolve();

  async transaction<T>(work: (shelf: PolicyShelf) => Promise<T>): Promise<T> {
    const mine = this.turn.then(() => this.run(work));
    this.turn = mine.catch(() => undefined);
    return await mine;
  }

  async find(version: bigint): Promise<PolicyVersion | undefined> {
    return this.versions.get(version);
  }

  async findActive(): Promise<PolicyVersion | undefined> {
    return activeOf(this.versions);
  }

  async list(): Promise<PolicyVersion[]> {
    return [...this.versions.values()].sort((a, b) => Number(b.version - a.version));
  }

  async due(at: Date): Promise<bigint[]> {
    return [...this.versions.values()]
      .filter(({ state, activateAt }) => state === 'APPROVED' && activateAt !== undefined && activateAt <= at)
      .sort((a, b) => a.activateAt!.getTime() - b.activateAt!.getTime() || Number(a.version - b.version))
      .map(({ version }) => version);
  }

  private async run<T>(work: (shelf: PolicyShelf) => Promise<T>): Promise<T> {
    const versions = new Map(this.versions);
    const facts = [...this.facts];
    const result = await work({
      find: async (version) => versions.get(version),
      findActive: async () => activeOf(versions),
      countShadows: async () => [...versions.values()].filter(({ state }) => state === 'SHADOW').length,
      save: async (change) => save(versions, facts, change),
    });
    this.versions = versions;
    this.facts = facts;
    return result;
  }
}

function save(versions: Map<bigint, PolicyVersion>, facts: Fact[], change: PolicyChange): void {
  for (const next of change.versions) {
    if (next.state === 'ACTIVE' && activeOf(versions)) throw new Error('two policies would be active');
    versions.set(next.version, next);
  }
  facts.push(...change.facts);
}

function activeOf(versions: ReadonlyMap<bigint, PolicyVersion>): PolicyVersion | undefined {
  return [...versions.values()].find(({ state }) => state === 'ACTIVE');
}
