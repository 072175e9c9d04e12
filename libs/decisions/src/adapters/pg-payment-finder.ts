import { type Shard, SHARDS } from '#kernel';
import type { Database } from '#platform';
import type { ConfirmedPayment, PaymentFinder } from '../payments.js';

interface PaymentRow {
  readonly shard: Shard;
  readonly reservation: string;
  /** Its hold, where it is a part that was spent of an allowance. */
  readonly allowance: string | null;
  readonly subject: string;
  readonly service: string;
  readonly reference: string | null;
  readonly minor: bigint;
  readonly currency: string;
  readonly confirmedAt: Date;
  readonly channel: string | null;
}

const SELECT = `SELECT shard, reservation, allowance, subject, service, payment_reference AS reference, confirmed_minor - refunded_minor AS minor, currency,
  confirmed_at AS "confirmedAt", channel FROM reservations`;

const ALL_SHARDS = [...SHARDS];

/** Confirmed payments, wherever their subjects live: a statement knows references, not shards. */
export class PgPaymentFinder implements PaymentFinder {
  constructor(private readonly database: Database) {}

  async findByReferences(references: readonly string[]): Promise<ConfirmedPayment[]> {
    const rows = await this.database.query<PaymentRow>(
      `${SELECT} WHERE shard = ANY ($1::smallint[]) AND payment_reference = ANY ($2::text[]) AND state = 'CONFIRMED'
        ORDER BY confirmed_at, reservation`,
      [ALL_SHARDS, references],
    );
    return rows.map(readPayment);
  }

  async findExpected(channel: string, from: Date, to: Date): Promise<ConfirmedPayment[]> {
    const rows = await this.database.query<PaymentRow>(
      `${SELECT} WHERE shard = ANY ($1::smallint[]) AND channel = $2 AND confirmed_at >= $3 AND confirmed_at < $4 AND state = 'CONFIRMED'
        ORDER BY confirmed_at, reservation`,
      [ALL_SHARDS, channel, from, to],
    );
    return rows.map(readPayment);
  }
}

/** A payment without a reference of its caller's goes by its reservation's UUID, which the caller may have put there. */
function readPayment({
  shard,
  reservation,
  allowance,
  subject,
  reference,
  minor,
  currency,
  channel,
  ...row
}: PaymentRow): ConfirmedPayment {
  return {
    ...row,
    reservation: { shard, uuid: reservation },
    decision: { shard, uuid: allowance ?? reservation },
    subject: { shard, uuid: subject },
    paymentReference: reference ?? reservation.replaceAll('-', ''),
    money: { minor, currency },
    channel: channel ?? undefined,
  };
}
