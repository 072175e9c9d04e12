import { DISPUTE_CODES, type DisputableKind, type DisputeCode } from '#contract';
import { type Fact, Refusal, type ShardedId } from '#kernel';
import { type Dispute, type DisputeDeadlines, type DisputedName, disputeFact, disputeId, type DisputeTreatment } from './dispute.js';

/** How often one record may be disputed in all, whatever is new about it. */
export const disputesPerRecordMax = 3;

export interface DisputeWish {
  readonly openedBy: Dispute['openedBy'];
  readonly caller: string;
  readonly key?: string | undefined;
  readonly code: DisputeCode;
  readonly statementDigest?: string | undefined;
  readonly record: { readonly iss: string; readonly jti: string };
}

/** What a new dispute gets beside what was wished. */
export interface DisputeTerms extends DisputeDeadlines {
  readonly id: string;
  readonly subject: ShardedId;
  readonly at: Date;
  readonly treatment: DisputeTreatment;
}

/**
 * Opens a dispute; `earlier` are all disputes of the record's chain. Refuses 422 `dispute.code_unfit`, 409 `dispute.exists` while one is open and
 * `dispute.frivolous` for what was verified before and brings nothing new (FCRA §611(a)(3)).
 */
export function openDispute(
  wish: DisputeWish,
  record: DisputedName,
  earlier: readonly Dispute[],
  { id, subject, at, treatment, ...deadlines }: DisputeTerms,
): { dispute: Omit<Dispute, 'openedSeq'>; fact: Fact } {
  const fits: readonly DisputableKind[] = DISPUTE_CODES[wish.code].of;
  if (!fits.includes(record.kind)) {
    throw new Refusal('unprocessable', 'dispute.code_unfit', `${wish.code} is not said of a ${record.kind}`, { field: '/code' });
  }
  const open = earlier.find(({ state }) => state !== 'CLOSED');
  if (open) throw new Refusal('conflict', 'dispute.exists', `this record is disputed already: ${disputeId(open)}`);
  checkNew(wish, record, earlier);
  const { openedBy, caller, key, code, statementDigest } = wish;
  const dispute = {
    ...{ id, subject, record, openedBy, caller, key, code, statementDigest, treatment, ...deadlines },
    ...{ openedAt: at, state: 'OPEN' as const, rung: [] },
  };
  const body = { by: openedBy, due: deadlines.dueAt.toISOString(), ...(statementDigest ? { statement: statementDigest } : {}) };
  return { dispute, fact: disputeFact('dispute.opened', dispute, body) };
}

/** The same request again; the key with another one is refused 422 `idempotency.key_reused`. */
export function repeatDispute(known: Dispute, { code, statementDigest, record }: DisputeWish): Dispute {
  const isSame = known.code === code && known.statementDigest === statementDigest;
  if (isSame && known.record.iss === record.iss && known.record.jti === record.jti) return known;
  throw new Refusal('unprocessable', 'idempotency.key_reused', 'this Idempotency-Key came with another request before');
}

/** New is: another code and words that were not said before. A furnisher's own flag costs nobody anything but itself. */
function checkNew({ openedBy, code, statementDigest }: DisputeWish, record: DisputedName, earlier: readonly Dispute[]): void {
  if (openedBy === 'FURNISHER') return;
  const own = earlier.filter((one) => one.openedBy === 'SUBJECT' && one.record.jti === record.jti);
  const said = new Set(own.flatMap((one) => [one.statementDigest, one.added?.statementDigest]));
  const isNew = statementDigest !== undefined && !said.has(statementDigest) && own.every((one) => one.code !== code);
  if (own.length > 0 && !isNew) throw frivolous('it was disputed before: bring another code and a statement that was not made yet');
  if (own.length >= disputesPerRecordMax) throw frivolous('it was disputed as often as a record can be', disputesPerRecordMax);
}

function frivolous(detail: string, countMax?: number): Refusal {
  const limit = countMax === undefined ? {} : { limit: `disputesPerRecordMax=${countMax}` };
  return new Refusal('conflict', 'dispute.frivolous', `the furnisher answered for this record: ${detail}`, limit);
}
