import {
  type AllowanceAnswer,
  type AllowanceSettlementAnswer,
  type AllowanceStatus,
  type GrantedAllowance,
  parseAllowanceRequest,
  parseAllowanceSettlement,
  parseIdempotencyKey,
  type SpendResult,
  type WireSpend,
} from '#contract';
import { type Allowance, type Allowances, allowanceStatus, type Settled, signAllowance, type SpendReport } from '#decisions';
import type { Signer } from '#evidence';
import { formatId, parseId, parseMoney, Refusal } from '#kernel';

/** Allowances in the words of the door, the same over HTTP and gRPC. A holder sees its own (CONTRACT.md §5). */
export class AllowanceDoor {
  constructor(
    private readonly allowances: Allowances,
    private readonly signer: () => Signer,
    private readonly issuer: string,
  ) {}

  /** Refuses 400 `allowance.malformed` and `idempotency.key_malformed`, and what `Allowances.issue` refuses. */
  async issue(holder: string, body: unknown, key: unknown): Promise<{ readonly answer: AllowanceAnswer; readonly replayed: boolean }> {
    const { subject, service, amount, spends, seconds, counterparty, channel } = parseAllowanceRequest(body);
    const { decided, allowance } = await this.allowances.issue({
      holder,
      key: parseIdempotencyKey(key),
      spends,
      seconds,
      request: {
        subject: parseId('sub', subject, '/subject'),
        service,
        money: parseMoney(amount, '/amount/amount'),
        counterparty,
        channel,
      },
    });
    const granted = allowance && (await this.grant(allowance));
    return { answer: { decision: decided.answer, ...granted }, replayed: decided.replayed };
  }

  /** Refuses 404 `allowance.unknown`, also another holder's. */
  async find(holder: string, id: string): Promise<AllowanceStatus> {
    const { known, at } = await this.allowances.find(parseId('alw', id), holder);
    return allowanceStatus(known, at);
  }

  /** Refuses 400 `allowance.malformed`, 404 `allowance.unknown`, 422 `currency.unsupported` and `amount.not_positive`. */
  async settle(holder: string, id: string, body: unknown): Promise<AllowanceSettlementAnswer> {
    const { spends, close = false } = parseAllowanceSettlement(body);
    const currency = spends[0]?.amount.currency;
    const settled = await this.allowances.settle({
      allowance: parseId('alw', id),
      holder,
      currency,
      close,
      reports: spends.map((spend, i) => readSpend(spend, i, currency!)),
    });
    return { ...allowanceStatus(settled.known, settled.at), results: settled.results.map(spendResult) };
  }

  private async grant(allowance: Allowance): Promise<Omit<GrantedAllowance, 'decision'>> {
    const { known, at } = await this.allowances.find(allowance.id, allowance.holder);
    return { allowance: allowanceStatus(known, at), token: signAllowance(allowance, this.signer(), this.issuer) };
  }
}

/** One currency per report, and every amount above zero. */
function readSpend({ paymentReference, amount, at }: WireSpend, i: number, currency: string): SpendReport {
  const field = `/spends/${i}/amount`;
  const { minor } = parseMoney(amount, `${field}/amount`);
  if (amount.currency !== currency)
    throw new Refusal('unprocessable', 'currency.unsupported', 'an allowance is in one currency', { field: `${field}/currency` });
  if (minor === 0n) throw new Refusal('unprocessable', 'amount.not_positive', 'an amount must be above zero', { field: `${field}/amount` });
  return { paymentReference, minor, at: new Date(at) };
}

function spendResult({ report, result, code, reservation }: Settled['results'][number]): SpendResult {
  return { paymentReference: report.paymentReference, result, code, reservationId: reservation && formatId('rsv', reservation) };
}
