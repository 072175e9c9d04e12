import { formatId, Refusal, type ShardedId } from '#kernel';
import type { DisputeAnswer, DisputeWish } from '#records';
import { performance } from '#records/testing/records';
import type { DisputePolicy } from '../dispute/dispute-policy.js';
import type { DisputeReader } from '../dispute/dispute-store.js';
import type { Disputes } from '../dispute/disputes.js';
import type { ExchangeWorld, Ground } from './exchange-world.js';

export type DisputeGround = Ground & {
  readonly clocks: Pick<DisputeReader, 'due'>;
  /** From now on the active policy says this of disputes. */
  setPolicy(policy: DisputePolicy): Promise<void>;
  /** A bank reads the subject's rating now. */
  readRating(subject: ShardedId, ref: ShardedId, bank: string): Promise<void>;
};

/** A world of disputes. */
export interface Stage {
  world: ExchangeWorld;
  ground: DisputeGround;
  flow: Disputes;
}

let n = 20_000;
/** A number that no record of the banks has had. */
export const nextNumber = (): number => ++n;

let keys = 0;

export interface Customer {
  readonly subject: ShardedId;
  readonly ref: ShardedId;
  readonly other: ShardedId;
}

export async function customer({ world }: Stage): Promise<Customer> {
  const subject = await world.subject();
  const [ref, other] = [await world.link(subject, 'bank-x'), await world.link(subject, 'bank-y')];
  await world.send(world.record('bank-x', ref, ++n, good));
  await Promise.all([world.hear('bank-x'), world.hear('bank-y')]);
  return { subject, ref, other };
}

export type Body = Parameters<ExchangeWorld['record']>[3];

export async function report({ world }: Stage, { ref }: Customer, body: Body): Promise<string> {
  const record = world.record('bank-x', ref, ++n, body);
  await world.send(record);
  return record.jti;
}

export function wish(jti: string, more: Partial<DisputeWish> = {}): DisputeWish {
  return { openedBy: 'SUBJECT', caller: 'wallet', key: `dispute-${++keys}`, code: 'INACCURATE', record: { iss: 'bank-x', jti }, ...more };
}

export const bad: Body = { kind: 'performance', performance: { ...performance('97', '900.00', 'L6543'), account: 'second' } };
export const good: Body = { kind: 'performance', performance: performance('11') };

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const evidence = { participant: 'bank-x', body: new TextEncoder().encode('{}') };

export function answerIn({ flow }: Stage, { id, subject }: { id: string; subject: ShardedId }, answer: DisputeAnswer, by = 'bank-x') {
  return flow.answer(by, { shard: subject.shard, uuid: id }, answer, evidence);
}

export const VERIFIED: DisputeAnswer = { answer: 'VERIFIED', evidenceDigest: 'e'.repeat(64) };

export async function hear({ world }: Stage, bank: string, ref?: ShardedId) {
  const told = (await world.hear(bank)).filter(({ kind }) => kind.startsWith('dispute.') || kind.startsWith('record.'));
  return ref ? told.filter((one) => one.ref === formatId('lnk', ref)) : told;
}

/** Rings until nothing is due. */
export async function ring({ flow, ground }: Stage): Promise<void> {
  while ((await flow.ring(ground.clocks as DisputeReader)) > 0);
}
