import { beforeEach, describe, expect, it } from 'vitest';
import { PolicyLife } from '../policy-life.js';
import type { PolicyBook } from '../store.js';
import { policyInput } from './house-policy.js';

export interface PolicyBookWorld {
  readonly book: PolicyBook;
  factKinds(): Promise<string[]>;
}

const AT = new Date('2026-11-22T08:00:00Z');
const LATER = new Date('2026-11-22T09:00:00Z');
/** Stands in for SHA-256: other text, other hash. */
const hash = (text: string) => Buffer.from(text).toString('hex').slice(-64).padStart(64, '0') + text.length;

/** What every policy book promises, through the life of policies. `make` gives an empty one. */
export function policyBookContract(make: () => Promise<PolicyBookWorld>): void {
  let world: PolicyBookWorld;
  let life: PolicyLife;

  const draft = (version: number, change: object = {}) => life.draft(policyInput({ version, ...change }), 'ann', AT);
  const approved = async (version: number) => {
    await draft(version);
    return await life.approve(BigInt(version), 'ben', AT);
  };
  const states = async () => Object.fromEntries((await world.book.list()).map(({ version, state }) => [String(version), state]));

  beforeEach(async () => {
    world = await make();
    life = new PolicyLife(world.book, hash);
  });

  describe('a version', () => {
    it('goes from draft to retired, each step a fact', async () => {
      expect(await draft(1)).toMatchObject({ state: 'DRAFT', author: 'ann', draftedAt: AT, approver: undefined });
      expect(await life.approve(1n, 'ben', AT)).toMatchObject({ state: 'APPROVED', approver: 'ben', approvedAt: AT });
      expect(await life.activate(1n, 'eva', AT)).toMatchObject({ state: 'ACTIVE', activatedAt: AT, activatedBy: 'eva' });
      await approved(2);
      await life.activate(2n, 'eva', LATER);
      expect(await world.book.find(1n)).toMatchObject({ state: 'RETIRED', retiredAt: LATER, retiredBy: 'eva', activatedAt: AT });
      await expect(life.retire(1n, 'Eva', LATER)).rejects.toMatchObject({ code: 'policy.person_malformed' });
      expect(await world.book.findActive()).toMatchObject({ version: 2n, state: 'ACTIVE' });
      const first = ['policy.drafted', 'policy.approved', 'policy.activated'];
      expect(await world.factKinds()).toEqual([...first, 'policy.drafted', 'policy.approved', 'policy.retired', 'policy.activated']);
    });

    it('is what it was when it was drafted', async () => {
      const first = await draft(1);
      expect(await draft(1)).toEqual(first);
      await expect(draft(1, { timeZone: 'UTC' })).rejects.toMatchObject({ kind: 'conflict', code: 'policy.version_taken' });
      expect(await world.book.find(1n)).toEqual(first);
      expect(await world.factKinds()).toEqual(['policy.drafted']);
    });

    it('comes back when the one after it is withdrawn', async () => {
      await approved(1);
      await approved(2);
      await life.activate(1n, 'eva', AT);
      await life.activate(2n, 'eva', AT);
      expect(await life.activate(1n, 'eva', LATER)).toMatchObject({
        state: 'ACTIVE',
        activatedAt: LATER,
        retiredAt: undefined,
        retiredBy: undefined,
      });
      expect(await states()).toEqual({ 2: 'RETIRED', 1: 'ACTIVE' });
    });

    it('that nobody drafted is unknown', async () => {
      await expect(life.activate(9n, 'eva', AT)).rejects.toMatchObject({ code: 'policy.unknown' });
      expect(await world.book.find(9n)).toBeUndefined();
    });
  });

  describe('a shadow', () => {
    it('begins once, and ends with approval', async () => {
      await draft(1);
      expect(await life.shadow(1n, 'eva', AT)).toMatchObject({ state: 'SHADOW', shadowedAt: AT, shadowedBy: 'eva' });
      expect(await life.shadow(1n, 'eva', LATER)).toMatchObject({ state: 'SHADOW', shadowedAt: AT });
      expect(await life.approve(1n, 'ben', LATER)).toMatchObject({ state: 'APPROVED', shadowedAt: AT });
      await expect(life.shadow(1n, 'eva', LATER)).rejects.toMatchObject({ code: 'policy.state' });
      expect(await world.factKinds()).toEqual(['policy.drafted', 'policy.shadowed', 'policy.approved']);
      await expect(life.shadow(9n, 'eva', AT)).rejects.toMatchObject({ code: 'policy.unknown' });
    });

    it('has room for so many at a time, however they come', async () => {
      for (const version of [1, 2, 3, 4]) await draft(version);
      const asked = await Promise.allSettled([1n, 2n, 3n, 4n].map((version) => life.shadow(version, 'eva', AT)));
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      expect(Object.values(await states()).filter((state) => state === 'SHADOW')).toHaveLength(3);
    });
  });

  describe('a set time', () => {
    it('is kept: not before, once, and in order', async () => {
      for (const version of [1, 2, 3]) await approved(version);
      await life.activate(1n, 'eva', AT);
      await life.activate(2n, 'eva', AT, new Date(LATER.getTime() - 1_000));
      await life.activate(3n, 'eva', AT, LATER);
      expect(await life.activateDue(new Date(LATER.getTime() - 1_001))).toBe(0);
      expect(await states()).toEqual({ 3: 'APPROVED', 2: 'APPROVED', 1: 'ACTIVE' });
      await Promise.all([life.activateDue(LATER), life.activateDue(LATER)]);
      expect(await states()).toEqual({ 3: 'ACTIVE', 2: 'RETIRED', 1: 'RETIRED' });
      expect(await world.book.find(3n)).toMatchObject({ scheduledBy: 'eva', activatedBy: 'eva' });
      expect(await life.activateDue(LATER)).toBe(0);
      expect((await world.factKinds()).filter((kind) => kind === 'policy.activated')).toHaveLength(3);
    });

    it('in the past is refused, and nothing is activated', async () => {
      await approved(1);
      await expect(life.activate(1n, 'eva', LATER, AT)).rejects.toMatchObject({ code: 'policy.activation_past' });
      expect(await states()).toEqual({ 1: 'APPROVED' });
    });

    it('does not take back what was activated since', async () => {
      for (const version of [1, 2]) await approved(version);
      await life.activate(1n, 'eva', AT, LATER);
      await life.activate(2n, 'eva', AT);
      expect(await life.activateDue(LATER)).toBe(1);
      expect(await states()).toEqual({ 2: 'ACTIVE', 1: 'RETIRED' });
    });
  });

  it('of several activations at once, one stands, and one is active at any time', async () => {
    const versions = [1, 2, 3, 4, 5, 6];
    for (const version of versions) await approved(version);
    await Promise.all(versions.map((version) => life.activate(BigInt(version), 'eva', AT)));
    const all = Object.values(await states());
    expect(all.filter((state) => state === 'ACTIVE')).toHaveLength(1);
    expect(all.filter((state) => state === 'RETIRED')).toHaveLength(5);
  });

  it('adopts a document in one step, and again without effect', async () => {
    const signatures = { author: 'ann', approver: 'ben' };
    await life.adopt(policyInput(), signatures, AT);
    await life.adopt(policyInput(), signatures, LATER);
    expect(await world.book.findActive()).toMatchObject({ version: 1n, activatedAt: AT });
    await expect(life.adopt(policyInput({ version: 2 }), { author: 'ann', approver: 'ann' }, AT)).rejects.toMatchObject({
      code: 'policy.four_eyes',
    });
    expect(await states()).toEqual({ 1: 'ACTIVE' });
  });

  it('saves nothing of a step that fails in the middle', async () => {
    await draft(1);
    const halfway = world.book.transaction(async (shelf) => {
      const known = (await shelf.find(1n))!;
      await shelf.save({ versions: [{ ...known, state: 'RETIRED' }], facts: [{ shard: 0, kind: 'test.happened', body: {} }] });
      throw new Error('no');
    });
    await expect(halfway).rejects.toThrow('no');
    expect(await states()).toEqual({ 1: 'DRAFT' });
    expect(await world.factKinds()).toEqual(['policy.drafted']);
  });
}
