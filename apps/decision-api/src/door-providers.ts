import type { Provider } from '@nestjs/common';
import type { InclusionProofs } from '#audit';
import { INCLUSION_PROOFS } from '#audit/adapters/audit.module';
import { Allowances, type DecisionLedger, LinkedDecider, ReceiptWriter } from '#decisions';
import { PgDecisionLedger } from '#decisions/adapters/pg-decision-ledger';
import { type Config, OwnKeys } from '#platform';
import { CONFIG } from '#platform/adapters/platform.module';
import { AllowanceDoor } from './allowance-door.js';
import { TokenVerifier } from './auth/token-verifier.js';
import { DecisionDoor } from './decision-door.js';
import { DecisionProofs } from './decision-proofs.js';
import { GrpcCall } from './grpc-call.js';
import { LinkedDoor } from './linked-door.js';
import { OpenStreams } from './open-streams.js';

/** What HTTP and gRPC have in common beside single decisions. */
export const DOORS: Provider[] = [
  OpenStreams,
  {
    provide: LinkedDoor,
    useFactory: (decider: LinkedDecider) => new LinkedDoor(decider),
    inject: [LinkedDecider],
  },
  {
    provide: AllowanceDoor,
    useFactory: (allowances: Allowances, keys: OwnKeys<'receipt'>, config: Config) =>
      new AllowanceDoor(allowances, () => keys.read().receipt.current, config.GATEWAY_ORIGIN),
    inject: [Allowances, OwnKeys, CONFIG],
  },
  {
    provide: GrpcCall,
    useFactory: (door: DecisionDoor, tokens: TokenVerifier) => new GrpcCall(door, tokens),
    inject: [DecisionDoor, TokenVerifier],
  },
  {
    provide: ReceiptWriter,
    useFactory: (ledger: DecisionLedger, keys: OwnKeys<'receipt'>, config: Config) =>
      new ReceiptWriter(ledger, () => keys.read().receipt.current, config.GATEWAY_ORIGIN),
    inject: [PgDecisionLedger, OwnKeys, CONFIG],
  },
  {
    provide: DecisionProofs,
    useFactory: (ledger: DecisionLedger, receipts: ReceiptWriter, proofs: InclusionProofs) => new DecisionProofs(ledger, receipts, proofs),
    inject: [PgDecisionLedger, ReceiptWriter, INCLUSION_PROOFS],
  },
];
