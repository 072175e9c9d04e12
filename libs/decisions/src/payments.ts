import type { Money, ShardedId } from '#kernel';

/** A payment that a service confirmed: what a participant's statement should show. */
export interface ConfirmedPayment {
  readonly reservation: ShardedId;
  readonly decision: ShardedId;
  readonly subject: ShardedId;
  readonly service: string;
  readonly paymentReference: string;
  /** Confirmed less refunded. */
  readonly money: Money;
  readonly confirmedAt: Date;
  /** The participant on whose statement the payment is expected, where the request named one. */
  readonly channel: string | undefined;
}

export interface PaymentFinder {
  findByReferences(references: readonly string[]): Promise<ConfirmedPayment[]>;
  /** Confirmed in [from, to) over this channel, in the order of confirmation. */
  findExpected(channel: string, from: Date, to: Date): Promise<ConfirmedPayment[]>;
}
