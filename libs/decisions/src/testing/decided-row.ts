import { hash } from 'node:crypto';
import { evaluate, type Policy } from '#policies';
import type { Standing } from '#standing';
import type { DecisionRequest, DecisionRow } from '../decision.js';
import { composeAnswer, detailsOf, holds } from '../details.js';
import { inputText } from '../input-text.js';

export interface Spent {
  readonly usedMinor: bigint;
  readonly reservedMinor: bigint;
  readonly taken: number;
}

interface Scene {
  readonly policy: Policy;
  readonly standing: Standing;
  readonly request: DecisionRequest;
  readonly at: Date;
  /** What each counter has before the decision, in the caps' order; none named: nothing. */
  readonly spent?: readonly Spent[];
}

const SALT = '3f0c8c7e-5d2b-4a51-9c3e-0a1b2c3d4e5f';
const NOTHING: Spent = { usedMinor: 0n, reservedMinor: 0n, taken: 0 };

/** The row that the ledger would keep of this decision: its judgement in a few lines of its own, for tests without a database. */
export function decidedRow({ policy, standing, request, at, spent = [] }: Scene): DecisionRow {
  const evaluation = evaluate(standing, policy, request, at);
  const told = detailsOf(request, evaluation, policy, standing);
  const minor = request.money.minor;
  const found = evaluation.caps.map((cap, i) => {
    const { usedMinor, reservedMinor, taken } = spent[i] ?? NOTHING;
    const left = cap.amountMinor === undefined ? minor : cap.amountMinor - usedMinor - reservedMinor;
    return { usedMinor, reservedMinor, taken, broken: left < minor || taken >= (cap.count ?? Infinity) };
  });
  const isRefused = evaluation.enforced && found.some(({ broken }) => broken);
  const takes = holds(told, evaluation.outcome) && !isRefused;
  const usage = found
    .map(({ usedMinor, reservedMinor, taken, broken }) =>
      [usedMinor, reservedMinor + (takes ? minor : 0n), taken + Number(takes), Number(broken)].join(':'),
    )
    .join(',');
  const details = JSON.stringify(told);
  const decision = { shard: request.subject.shard, uuid: '01890000-0000-7000-8000-00000000dec1' };
  const { outcome, computedOutcome } = composeAnswer(told, { decision, at, usage }, decision.shard);
  return {
    ...{ decision, seq: 7n, at, subject: request.subject, caller: 'checkout-service', key: 'key-12345678', service: request.service },
    ...{ outcome, computed: computedOutcome, policyVersion: policy.version, standingVersion: standing.version },
    ...{ expiresAt: takes ? new Date(at.getTime() + request.holdSeconds * 1000) : undefined, details, usage, salt: SALT },
    digest: hash('sha256', inputText(request), 'buffer'),
    commitment: hash('sha256', committed(details, usage), 'buffer'),
  };
}

/** As `reserve_batch` writes it: uuid_send(salt) and the text. */
function committed(details: string, usage: string): Uint8Array {
  return Buffer.concat([Buffer.from(SALT.replaceAll('-', ''), 'hex'), Buffer.from(`{"evaluation":${details},"usage":"${usage}"}`)]);
}
