import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose';
import { uuidV7 } from '#kernel';
import { signRecord } from '#sdk';
import { sampleRating } from '../seed/seed-customers.js';
import type { Narrator } from './narrator.js';
import type { Stage, ToyBank } from './stage.js';

/** One person known to both banks, by a different reference at each. */
export interface Customer {
  readonly subject: string;
  readonly refAtA: string;
  readonly refAtB: string;
  readonly ratingJti: string;
}

/** Bank A submits a signed rating over mTLS, gets a receipt, and later its inclusion proof. */
export async function exchangeRecords(stage: Stage, narrator: Narrator): Promise<Customer> {
  narrator.chapter('Two banks, one customer');
  const { id: subject } = await stage.checkout.registerSubject('INDIVIDUAL');
  const refAtA = await linkAndHear(stage, stage.bankA, subject, narrator);
  const refAtB = await linkAndHear(stage, stage.bankB, subject, narrator);
  narrator.check('the two banks know the customer by references that cannot be joined', refAtA !== refAtB);

  narrator.chapter('Bank A submits a signed rating and gets a receipt');
  const payload = { ...sampleRating(stage.bankA.id, refAtA, 820, new Date()), ...recordHead(stage.bankA, refAtA, 'rating') };
  const jws = await signRecord(payload, stage.bankA.key);
  const first = await stage.bankA.client.submitRecord(jws);
  const { payload: receipt } = await jwtVerify(first.receipt, createLocalJWKSet(stage.jwks as unknown as JSONWebKeySet));
  narrator.check('the receipt names the record and is signed by the gateway', receipt.sub === payload.jti, receipt);
  const again = await stage.bankA.client.submitRecord(await signRecord(payload, stage.bankA.key));
  narrator.check(
    'sent again under a new signature, it is the same record and the same receipt',
    again.repeated && again.receipt === first.receipt,
  );
  await narrator.until('its inclusion proof is there within 10 s', 12, async () => {
    const { logIndex, proof } = await stage.bankA.client.receipt(payload.jti);
    return proof === undefined ? undefined : { logIndex, proof };
  });
  return { subject, refAtA, refAtB, ratingJti: payload.jti };
}

async function linkAndHear(stage: Stage, bank: ToyBank, subject: string, narrator: Narrator): Promise<string> {
  const customerReference = `${bank.id}-customer-${randomBytes(4).toString('hex')}`;
  await stage.checkout.link(subject, bank.id, customerReference);
  return narrator.until(`${bank.id} hears of its new link by polling events`, 10, async () => {
    const events = await takeEvents(bank);
    return events.find((event) => event.kind === 'link.created' && event.body['customerReference'] === customerReference)?.subject;
  });
}

export interface HeardEvent {
  readonly kind: string;
  readonly subject: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Takes and acknowledges everything that waits for a bank. */
export async function takeEvents(bank: ToyBank): Promise<HeardEvent[]> {
  const { sets } = await bank.client.pollEvents();
  if (Object.keys(sets).length > 0) await bank.client.pollEvents(Object.keys(sets), 0);
  return Object.values(sets).flatMap((token) => {
    const claims = decodeJwt(token) as { sub_id?: { id?: string }; events?: Record<string, Record<string, unknown>> };
    return Object.entries(claims.events ?? {}).map(([uri, body]) => ({
      kind: uri.split(':').at(-1)!,
      subject: String(claims.sub_id?.id ?? ''),
      body,
    }));
  });
}

/** The claims that every record starts with (CONTRACT.md §3). */
export function recordHead(bank: ToyBank, ref: string, kind: string) {
  const at = new Date();
  return {
    iss: bank.id,
    sub: ref,
    jti: uuidV7(at.getTime(), randomBytes(10)),
    seq: bank.nextSeq++,
    iat: Math.floor(at.getTime() / 1_000),
    kind,
    asOf: at.toISOString(),
    validUntil: new Date(at.getTime() + 90 * 86_400_000).toISOString(),
  };
}
