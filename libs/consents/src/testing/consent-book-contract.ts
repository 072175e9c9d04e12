import { expect, it } from 'vitest';
import { shardOf } from '#kernel';
import type { Link } from '../link.js';
import type { ConsentBook } from '../store.js';
import { registerSubject } from '../subject.js';

const at = new Date('2026-11-21T08:00:00.000Z');
const uuid = (n: number) => `01939a6e-7a00-7abc-8def-${String(n).padStart(12, '0')}`;

/** What every consent book promises. `run` gives a book and saves what was done with it. */
export function consentBookContract(run: <T>(work: (book: ConsentBook) => Promise<T>) => Promise<T>): void {
  const subject = { shard: shardOf(uuid(1)), uuid: uuid(1) };
  const link: Link = {
    ref: { shard: subject.shard, uuid: uuid(11) },
    subject,
    participant: 'bank-a',
    customerReference: 'c-1',
    createdAt: at,
  };

  it('gives an idempotency key to the first that asks', async () => {
    const first = { caller: 'checkout', key: 'key-00000001', kind: 'INDIVIDUAL' as const, subject };
    expect(await run((book) => book.claimRequest(first, at))).toBeUndefined();
    const again = { ...first, kind: 'MERCHANT' as const, subject: { shard: shardOf(uuid(2)), uuid: uuid(2) } };
    expect(await run((book) => book.claimRequest(again, at))).toEqual(first);
    expect(await run((book) => book.claimRequest({ ...again, caller: 'wallet' }, at))).toBeUndefined();
  });

  it('keeps a subject and finds it by the reference of a link', async () => {
    const { subject: known } = registerSubject(subject.uuid, 'INDIVIDUAL', at);
    await run(async (book) => {
      await book.addSubject(known);
      await book.addLink(link);
    });
    expect(await run((book) => book.holdSubject(subject))).toEqual(known);
    expect(await run((book) => book.holdSubjectOf(link.ref))).toEqual(known);
    expect(await run((book) => book.holdSubjectOf({ ...link.ref, uuid: uuid(99) }))).toBeUndefined();
    expect(await run((book) => book.holdSubject({ ...subject, uuid: uuid(99) }))).toBeUndefined();
  });

  it('has at most one active link to a participant', async () => {
    await expect(run((book) => book.addLink({ ...link, ref: { ...link.ref, uuid: uuid(12) } }))).rejects.toThrow(/links_one_active/);
  });

  it('keeps ended links, oldest first', async () => {
    const later = new Date(at.getTime() + 1_000);
    const next: Link = { ...link, ref: { ...link.ref, uuid: uuid(13) }, createdAt: later };
    await run((book) => book.saveEnd({ ...link, endedAt: later }));
    await run((book) => book.addLink({ ...next, customerReference: undefined }));
    expect(await run((book) => book.linksOf(subject))).toEqual([
      { ...link, endedAt: later },
      { ...next, customerReference: undefined, endedAt: undefined },
    ]);
  });

  it('ends a link once', async () => {
    await run((book) => book.saveEnd({ ...link, endedAt: new Date(at.getTime() + 9_000) }));
    expect((await run((book) => book.linksOf(subject)))[0]?.endedAt).toEqual(new Date(at.getTime() + 1_000));
  });
}
