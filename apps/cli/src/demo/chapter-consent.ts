import { ProblemError, verifyRating } from '#sdk';
import type { Customer } from './chapter-records.js';
import type { Narrator } from './narrator.js';
import type { Stage } from './stage.js';

const TERMS = {
  purpose: 'ACCOUNT_REVIEW' as const,
  claims: ['band', 'restrictions'] as const,
  fetch: { type: 'PERIODIC', count: 4, every: 'DAY' } as const,
  dataLifeSeconds: 3_600,
};

/** Bank A asks, the customer grants, bank A reads exactly that, the customer revokes, and the next read is refused. */
export async function readUnderConsent(stage: Stage, narrator: Narrator, customer: Customer): Promise<void> {
  narrator.chapter('Bank A reads the rating, as far and as long as the customer allows');
  const { bankA, checkout, jwks } = stage;
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  const asked = await bankA.client.consents.request({ sub: customer.refAtA, ...TERMS, claims: [...TERMS.claims], expiresAt });
  narrator.check('before the customer said yes, nothing is told', (await refusal(stage, customer, asked.id)) === 'consent.required');
  await checkout.actOnConsent(customer.subject, asked.id, 'grant');
  const read = await bankA.client.rating(customer.refAtA, asked.id);
  narrator.check('after it, bank A gets a credential', 'credential' in read);
  const credential = 'credential' in read ? read.credential : '';
  const { value: rating } = await verifyRating(credential, {
    keys: jwks,
    issuer: stage.gateway,
    holder: { ownKey: bankA.key.privateKey.export({ format: 'jwk' }) },
  });
  narrator.check('which it verifies offline: signed by us, bound to its key', rating.sub === customer.refAtA, rating);
  narrator.check('and in which stands what was allowed and nothing else', rating.band !== undefined && rating.score === undefined, rating);
  narrator.say(`band: ${rating.band}, ${rating.restrictions?.length ?? 0} restriction(s), to be forgotten in ${rating.exp - rating.iat} s`);
  if (stage.sabotage !== 'consent') await checkout.actOnConsent(customer.subject, asked.id, 'revoke');
  narrator.check('once revoked, the very next read is refused', (await refusal(stage, customer, asked.id)) === 'consent.required');
}

/** The code a read is refused with; undefined where it is not. */
async function refusal({ bankA }: Stage, customer: Customer, consent: string): Promise<string | undefined> {
  try {
    await bankA.client.rating(customer.refAtA, consent);
    return undefined;
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}
