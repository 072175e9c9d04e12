import type { Metadata } from '@grpc/grpc-js';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { parseIdempotencyKey } from '#contract';
import {
  answerOf,
  type DecisionLedger,
  type DecisionRow,
  decisionUnknown,
  isDecisionOf,
  HeadroomFlow,
  type ReservationStore,
  reservationUnknown,
} from '#decisions';
import { PgDecisionLedger } from '#decisions/adapters/pg-decision-ledger';
import { PgReservations } from '#decisions/adapters/pg-reservations';
import { parseId } from '#kernel';
import { SubjectViews } from '#standing';
import type { ServiceCaller } from './auth/caller.js';
import { reservationAnswer } from './decision-door.js';
import { GrpcCall } from './grpc-call.js';
import { toAnswerMessage } from './grpc-messages.js';

/** Reading over gRPC: what was decided and held, and what could still be spent. A caller sees its own decisions and reservations. */
@Controller()
export class LookupsGrpcController {
  constructor(
    @Inject(GrpcCall) private readonly call: GrpcCall,
    @Inject(PgDecisionLedger) private readonly ledger: DecisionLedger,
    @Inject(PgReservations) private readonly reservations: ReservationStore,
    @Inject(HeadroomFlow) private readonly headroom: HeadroomFlow,
    @Inject(SubjectViews) private readonly views: SubjectViews,
  ) {}

  @GrpcMethod('DecisionService', 'GetDecision')
  getDecision({ decisionId = '' }: { readonly decisionId?: string }, metadata: Metadata) {
    return this.call.answer(metadata, ['decisions:evaluate'], async (caller) =>
      told(await this.ledger.findById(parseId('dec', decisionId)), caller),
    );
  }

  @GrpcMethod('DecisionService', 'FindDecision')
  findDecision(
    { subject = '', idempotencyKey: key = '' }: { readonly subject?: string; readonly idempotencyKey?: string },
    metadata: Metadata,
  ) {
    return this.call.answer(metadata, ['decisions:evaluate'], async (caller) =>
      told(await this.ledger.findByKey({ subject: parseId('sub', subject), caller: caller.name, key: parseIdempotencyKey(key) }), caller),
    );
  }

  @GrpcMethod('DecisionService', 'GetReservation')
  getReservation({ reservationId = '' }: { readonly reservationId?: string }, metadata: Metadata) {
    return this.call.answer(metadata, ['decisions:reserve'], async (caller) => {
      const reservation = await this.reservations.find(parseId('rsv', reservationId));
      if (reservation?.caller !== caller.name) throw reservationUnknown();
      return reservationAnswer(reservation);
    });
  }

  @GrpcMethod('DecisionService', 'GetHeadroom')
  getHeadroom({ subject = '' }: { readonly subject?: string }, metadata: Metadata) {
    return this.call.answer(metadata, ['standing:read'], async ({ name: by }) => {
      const id = parseId('sub', subject);
      const headroom = await this.headroom.of(id);
      await this.views.note({ by, what: 'headroom', subject: id });
      return headroom;
    });
  }
}

function told(row: DecisionRow | undefined, caller: ServiceCaller) {
  if (!row || !isDecisionOf(row, caller.name)) throw decisionUnknown();
  return toAnswerMessage({ answer: answerOf(row), replayed: true });
}
