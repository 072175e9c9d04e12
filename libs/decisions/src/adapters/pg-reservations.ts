import { randomUUID } from 'node:crypto';
import { formatMinor, invariant, type Refusal, type ShardedId } from '#kernel';
import { type Database, int2Array, orLostReply, RecordArray } from '#platform';
import {
  confirmAboveReserved,
  currencyDiffers,
  keyReused,
  refundAboveConfirmed,
  reservationExpired,
  reservationSettled,
  reservationUnknown,
} from '../codes.js';
import type { Reservation } from '../reservation.js';
import type { SettlementAsk } from '../settle.js';
import type { ReservationStore, SettlementResult } from '../store.js';

type Columns = Omit<Reservation, 'id' | 'subject'> & { readonly subject: string };

/** Every column but the verdict is NULL for a reservation that nobody knows. */
type SettledRow = Columns & { readonly item: number; readonly verdict: keyof typeof REFUSALS | 'DONE' | 'REPEATED' };

const COLUMNS = `subject, caller, state, currency, amount_minor AS "amountMinor", confirmed_minor AS "confirmedMinor",
  refunded_minor AS "refundedMinor", expires_at AS "expiresAt"`;

const SETTLE = `SELECT item, verdict, ${COLUMNS} FROM settle_batch($1, $2, $3)`;
const ASK_FIELDS = 9;
const ASK_BYTES = 256;

/** Reservations after their decision: one function call and one commit for a batch of steps. */
export class PgReservations implements ReservationStore {
  constructor(private readonly database: Database) {}

  async settle(asks: readonly SettlementAsk[]): Promise<readonly SettlementResult[]> {
    const columns = settleColumns(asks, await this.database.typeOid('settlement_ask'));
    const settled = await orLostReply(this.database.query<SettledRow>(SETTLE, columns, 'settle_batch'));
    const byItem = new Map(settled.map((row) => [row.item, row]));
    invariant(byItem.size === asks.length, 'the ledger answers every step once');
    return asks.map(({ reservation }, i) => resultOf(reservation, byItem.get(i + 1)!));
  }

  async find(id: ShardedId): Promise<Reservation | undefined> {
    const sql = `SELECT ${COLUMNS} FROM reservations WHERE shard = $1 AND reservation = $2`;
    const [row] = await this.database.query<Columns>(sql, [id.shard, id.uuid]);
    return row && readReservation(id, row);
  }
}

/** A batch as the parameters that `settle_batch` takes, in its order. */
export function settleColumns(asks: readonly SettlementAsk[], askOid: number): unknown[] {
  const { rounds, roundsMax } = roundsOf(asks);
  const rows = new RecordArray(askOid, ASK_FIELDS, asks.length * ASK_BYTES);
  asks.forEach((ask, i) => writeAsk(rows, ask, rounds[i]!));
  return [int2Array([...new Set(asks.map(({ reservation }) => reservation.shard))]), roundsMax, rows.finish()];
}

/** In the order of the columns of `settlement_ask`. */
function writeAsk(rows: RecordArray, { caller, reservation, settlement, key }: SettlementAsk, round: number): void {
  const money = 'money' in settlement ? settlement.money : undefined;
  rows.beginRecord();
  rows.int4(round);
  rows.int2(reservation.shard);
  rows.uuid(reservation.uuid);
  rows.text(caller);
  rows.text(settlement.kind);
  rows.int8(money?.minor);
  rows.text(money?.currency);
  rows.text(key);
  rows.uuid(randomUUID());
  rows.endRecord();
}

/** A reservation's first step in the batch is of round 1, its second of round 2. */
function roundsOf(asks: readonly SettlementAsk[]): { readonly rounds: number[]; readonly roundsMax: number } {
  const seen = new Map<string, number>();
  const rounds = asks.map(({ reservation: { uuid } }) => {
    const round = (seen.get(uuid) ?? 0) + 1;
    seen.set(uuid, round);
    return round;
  });
  return { rounds, roundsMax: Math.max(...rounds) };
}

/** The verdicts that refuse, in the words of `settleReservation`. */
const REFUSALS = {
  UNKNOWN: () => reservationUnknown(),
  KEY_REUSED: () => keyReused(),
  CURRENCY: ({ currency }: Columns) => currencyDiffers(currency),
  EXPIRED: () => reservationExpired(),
  SETTLED: ({ state }: Columns) => reservationSettled(state),
  ABOVE_RESERVED: ({ amountMinor, currency }: Columns) => confirmAboveReserved(formatMinor(amountMinor, currency)),
  ABOVE_CONFIRMED: ({ confirmedMinor, refundedMinor, currency }: Columns) =>
    refundAboveConfirmed(formatMinor(confirmedMinor - refundedMinor, currency)),
} satisfies Readonly<Record<string, (row: Columns) => Refusal>>;

function resultOf(id: ShardedId, { item: _item, verdict, ...row }: SettledRow): SettlementResult {
  if (verdict !== 'DONE' && verdict !== 'REPEATED') return REFUSALS[verdict](row);
  return { reservation: readReservation(id, row), replayed: verdict === 'REPEATED' };
}

function readReservation(id: ShardedId, { subject, ...row }: Columns): Reservation {
  return { ...row, id, subject: { shard: id.shard, uuid: subject } };
}
