import type { ConfirmedPayment, PaymentFinder } from '#decisions';

/** Payments that were confirmed, without the ledger that confirmed them. `asked` counts references looked up. */
export class FakePaymentFinder implements PaymentFinder {
  asked = 0;
  private readonly byReference = new Map<string, ConfirmedPayment[]>();

  constructor(private readonly payments: readonly ConfirmedPayment[]) {
    for (const payment of payments) {
      this.byReference.set(payment.paymentReference, [...(this.byReference.get(payment.paymentReference) ?? []), payment]);
    }
  }

  async findByReferences(references: readonly string[]): Promise<ConfirmedPayment[]> {
    this.asked += references.length;
    return references.flatMap((reference) => this.byReference.get(reference) ?? []);
  }

  async findExpected(channel: string, from: Date, to: Date): Promise<ConfirmedPayment[]> {
    return this.payments.filter((payment) => payment.channel === channel && payment.confirmedAt >= from && payment.confirmedAt < to);
  }
}
