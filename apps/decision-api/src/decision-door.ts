import {
  defectProblem,
  type ItemProblem,
  KINDS,
  parseDecisionRequest,
  parseIdempotencyKey,
  type ReservationAnswer,
  type WireDecisionItem,
  type WireDecisionRequest,
  type WireSettlementRequest,
} from '#contract';
import { type Decided, readDecisionRequest, type Reservation, type Settlement } from '#decisions';
import { formatId, parseId, parseMoney, Refusal, toWireMoney } from '#kernel';
import type { Logger } from 'pino';
import { slowDatabase } from '#platform';
import { logReason } from '#platform/adapters/problem.filter';
import { refusedTotal } from '#platform/adapters/refused-total';
import type { Scope, ServiceCaller } from './auth/caller.js';
import type { TokenVerifier } from './auth/token-verifier.js';
import type { Deciding, Settling } from './scripted-subjects.js';

const MODE_SCOPES: Readonly<Record<WireDecisionRequest['mode'], readonly Scope[]>> = {
  EVALUATE: ['decisions:evaluate'],
  RESERVE: ['decisions:reserve'],
};

/** What HTTP and gRPC have in common: read, check scope and key, decide. */
export class DecisionDoor {
  constructor(
    private readonly decider: Deciding,
    private readonly settler: Settling,
    private readonly tokens: TokenVerifier,
    private readonly logger: Logger,
  ) {}

  /** A body as received. Refuses (before there is a promise, or by it) 400 `decision.malformed` and `idempotency.key_malformed`, 403 `scope.missing`, and what `decide` refuses. */
  decide(caller: ServiceCaller, body: unknown, key: string | undefined): Promise<Decided> {
    return this.decideRead(caller, parseDecisionRequest(body), key);
  }

  async decideItem(caller: ServiceCaller, { key, ...wire }: WireDecisionItem): Promise<Decided> {
    return this.decideRead(caller, wire, key);
  }

  async settle(
    caller: ServiceCaller,
    reservationId: string,
    settlement: { readonly kind: Settlement['kind'] } & WireSettlementRequest,
    key: string | undefined,
  ): Promise<{ readonly answer: ReservationAnswer; readonly replayed: boolean }> {
    const { reservation, replayed } = await this.settler.settle({
      caller: caller.name,
      reservation: parseId('rsv', reservationId),
      settlement: { kind: settlement.kind, money: settlement.amount && parseMoney(settlement.amount, '/amount/amount') },
      key: key === undefined ? undefined : parseIdempotencyKey(key),
    });
    return { answer: reservationAnswer(reservation), replayed };
  }

  /** What a batch or stream item is told instead of an answer. A defect is logged and tells nothing. */
  problemOf(error: unknown, correlationId: string): ItemProblem {
    const refusal = error instanceof Refusal ? error : slowDatabase(error);
    refusedTotal.inc({ code: refusal?.code ?? 'internal' });
    logReason(refusal ?? error, correlationId, this.logger);
    if (refusal) {
      const { field, retryAfterSeconds } = refusal.hints;
      return {
        code: refusal.code,
        detail: refusal.detail,
        status: KINDS[refusal.kind].status,
        ...(field === undefined ? {} : { field }),
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      };
    }
    const { code, detail, status } = defectProblem(correlationId);
    return { code, detail, status };
  }

  private decideRead(caller: ServiceCaller, wire: WireDecisionRequest, key: string | undefined): Promise<Decided> {
    this.tokens.admit(caller, MODE_SCOPES[wire.mode]);
    return this.decider.decide({
      caller: caller.name,
      key: key === undefined ? undefined : parseIdempotencyKey(key),
      request: readDecisionRequest(wire),
    });
  }
}

export function reservationAnswer(reservation: Reservation): ReservationAnswer {
  const { currency } = reservation;
  return {
    reservationId: formatId('rsv', reservation.id),
    state: reservation.state,
    reserved: toWireMoney({ minor: reservation.amountMinor, currency }),
    confirmed: toWireMoney({ minor: reservation.confirmedMinor, currency }),
    refunded: toWireMoney({ minor: reservation.refundedMinor, currency }),
    expiresAt: reservation.expiresAt.toISOString(),
  };
}
