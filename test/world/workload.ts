import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { signRecord } from '#sdk';
import { sampleRating } from '../../apps/cli/src/seed/seed-customers.js';
import type { DecisionAnswer } from '../../apps/cli/src/demo/decision-client.js';
import type { Stage } from '../../apps/cli/src/demo/stage.js';

const patienceMs = 60_000;
const pauseMs = 200;

export interface Acknowledged {
  /** jti and the JWS that was sent for it, with the receipt that came back. */
  readonly records: { readonly jti: string; readonly jws: string; readonly receipt: string }[];
  readonly decisions: { readonly key: string; readonly ask: Parameters<Stage['checkout']['decide']>[0]; readonly answer: DecisionAnswer }[];
  readonly confirmed: { readonly reservation: string; readonly key: string }[];
}

/** Submits records and takes decisions like callers who never give up and never change what they send. */
export async function work(stage: Stage, customer: { subject: string; ref: string }, rounds: number): Promise<Acknowledged> {
  const done: Acknowledged = { records: [], decisions: [], confirmed: [] };
  await Promise.all([submitRecords(stage, customer.ref, rounds, done), pay(stage, customer.subject, rounds, done)]);
  return done;
}

async function submitRecords(stage: Stage, ref: string, rounds: number, done: Acknowledged): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    const payload = sampleRating(stage.bankA.id, ref, 780 + (i % 20), new Date());
    const jws = await signRecord(payload, stage.bankA.key);
    const { receipt } = await insist(() => stage.bankA.client.submitRecord(jws));
    done.records.push({ jti: payload.jti, jws, receipt });
  }
}

async function pay(stage: Stage, subject: string, rounds: number, done: Acknowledged): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    const paymentReference = `KILL-${randomBytes(8).toString('hex')}`;
    const ask = {
      subject,
      service: 'checkout',
      amount: { amount: '1.00', currency: 'CNY' },
      mode: 'RESERVE',
      channel: 'bank-a',
      paymentReference,
    } as const;
    const key = randomUUID();
    const answer = await insist(() => stage.checkout.decide(ask, key));
    done.decisions.push({ key, ask, answer });
    if (!answer.reservation) continue;
    const confirmation = { reservation: answer.reservation.id, key: randomUUID() };
    await insist(() => stage.checkout.confirm(confirmation.reservation, confirmation.key));
    done.confirmed.push(confirmation);
  }
}

/** Tries until it is answered: connections break and doors are shut while a process is dead. */
export async function insist<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end || isFinal(error)) throw error;
      await delay(pauseMs);
    }
  }
}

/** A refusal that no waiting changes. */
function isFinal(error: unknown): boolean {
  return error instanceof TypeError
    ? error.cause === undefined
    : /\b(400|401|403|404|409|412|413|415|421|422)\b/.test(String(error)) && !/in_flight/.test(String(error));
}
