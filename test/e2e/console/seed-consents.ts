import { randomUUID } from 'node:crypto';
import { formatId } from '#kernel';
import type { Database } from '#platform';
import { DisclosureWorld } from '#standing/testing/disclosure-world';

/** A subject with a consent that was narrowed and read, an answered threshold, one that is paused and a request that waits. */
export async function seedConsents(database: Database): Promise<{ subject: string; consent: string }> {
  const world = new DisclosureWorld(database);
  const of = await world.subject(780);
  const { link } = await world.subjects.link(of.subject, { participant: 'bank-b' });
  const theirs = { subject: of.subject, ref: link.ref };
  const read = await world.granted(of, { claims: ['score', 'band', 'factors'], purpose: 'CREDIT_APPLICATION' });
  await world.act(read, { kind: 'NARROW', smaller: { scope: { claims: ['band'] } } });
  for (let n = 0; n < 3; n++) await world.credential(read, { key: randomUUID() });
  const threshold = await world.granted(
    theirs,
    { threshold: { atLeast: 650 }, fetch: { type: 'ONETIME' }, dataLifeSeconds: 86_400 },
    'bank-b',
  );
  await world.read(threshold, { key: randomUUID() });
  await world.act(await world.granted(theirs, { claims: ['score'] }, 'bank-b'), { kind: 'PAUSE' });
  return { subject: formatId('sub', of.subject), consent: formatId('cns', read.id) };
}
