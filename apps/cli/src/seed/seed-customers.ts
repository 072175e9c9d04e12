import { randomBytes } from 'node:crypto';
import type { SubjectKind } from '#contract';
import { formatId, type ShardedId, uuidV7 } from '#kernel';
import type { Subjects } from '#standing';

/** Subjects that the toy banks know, found again by their idempotency keys. */
const CUSTOMERS: readonly { readonly key: string; readonly kind: SubjectKind; readonly banks: readonly string[] }[] = [
  { key: 'seed-customer-1', kind: 'INDIVIDUAL', banks: ['bank-a', 'bank-b'] },
  { key: 'seed-customer-2', kind: 'INDIVIDUAL', banks: ['bank-a'] },
  { key: 'seed-merchant-1', kind: 'MERCHANT', banks: ['bank-a', 'bank-b'] },
];

export interface SampleCustomer {
  readonly subject: string;
  /** How each bank knows it. */
  readonly refs: Readonly<Record<string, string>>;
}

export async function seedCustomers(subjects: Subjects): Promise<SampleCustomer[]> {
  const samples: SampleCustomer[] = [];
  for (const { key, kind, banks } of CUSTOMERS) {
    const { id } = await subjects.register({ caller: 'seed', key, kind });
    samples.push({ subject: formatId('sub', id), refs: await linkAll(subjects, id, banks) });
  }
  return samples;
}

async function linkAll(subjects: Subjects, id: ShardedId, banks: readonly string[]): Promise<Record<string, string>> {
  const refs: Record<string, string> = {};
  for (const participant of banks) {
    const { link } = await subjects.link(id, { participant });
    refs[participant] = formatId('lnk', link.ref);
  }
  return refs;
}

/** A rating that a toy bank could have sent; `seq` is far above what a person starts with by hand. */
export function sampleRating(iss: string, sub: string, score: number, at: Date) {
  return {
    iss,
    sub,
    jti: uuidV7(at.getTime(), randomBytes(10)),
    seq: at.getTime() * 1_000 + (randomBytes(2).readUInt16BE() % 1_000),
    iat: Math.floor(at.getTime() / 1_000),
    kind: 'rating',
    asOf: at.toISOString(),
    validUntil: new Date(at.getTime() + 90 * 86_400_000).toISOString(),
    rating: {
      score,
      scale: { min: 350, max: 950 },
      band: 'A',
      factors: [{ code: 'LONG_HISTORY', text: 'long, clean history' }],
      model: { id: 'toy-bank-model', version: '2026.1' },
    },
  };
}
