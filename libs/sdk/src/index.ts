export type {
  AllowanceAnswer,
  AllowanceClaims,
  AllowanceSettlementAnswer,
  AllowanceStatus,
  BacktestAnswer,
  BacktestReportAnswer,
  ConsentArtefactClaims,
  DecisionAnswer,
  DecisionLimit,
  DecisionReason,
  GrantedAllowance,
  LinkedAnswer,
  OpenAnswerResult,
  DisputeAnswerRequest,
  DisputeCode,
  DisputeState,
  Outcome,
  RatingClaim,
  RatingCredentialClaims,
  ReservationAnswer,
  ShadowAnswer,
  SimulationAnswer,
  SpendResult,
  ThresholdAnswer,
  WireAllowanceRequest,
  WireBacktestRequest,
  WireConsentRequest,
  WireDecisionItem,
  WireDecisionRequest,
  WireLinkedRequest,
  WireSimulationRequest,
} from '#contract';
export { Refusal, type WireMoney } from '#kernel';
export * from './allowance-spender.js';
export type { TalliedSpend } from './allowance-tally.js';
export { UnverifiedAnswerError } from './answer-verifier.js';
export * from './bank-client.js';
export * from './bank-consents.js';
export * from './bank-disputes.js';
export * from './bank-keys.js';
export * from './bank-webhook.js';
export { type FailedLinesOptions, writeFailedLines } from './batches/failed-lines.js';
export type { LineOutcome } from './batches/line-outcome.js';
export type { BatchLine } from './batches/line-pieces.js';
export * from './batches/record-batches.js';
export * from './batches/write-batch.js';
export { makeCertificateRequest } from './certificate-request.js';
export * from './decision-answers.js';
export * from './decision-client.js';
export * from './enrol-bank.js';
export * from './event-ledger.js';
export * from './event-receiver.js';
export type { BodySource, GatewayBody } from './gateway-body.js';
export * from './gateway-client.js';
export * from './no-answer-error.js';
export * from './open-posture.js';
export * from './policy-client.js';
export * from './problem-error.js';
export type { Healed } from './record-set/heal-set.js';
export * from './record-set/local-records.js';
export type { Reconciled, ReconcileOptions } from './record-set/reconcile-records.js';
export { RecordFile } from './record-set/record-file.js';
export { verifySetAgreement } from './record-set/state-set.js';
export { presentRating, type RatingExpectation, type RatingRead, type RatingWish, verifyRating } from './rating.js';
export { signRecord, type SigningKey } from './record-signer.js';
export type { HttpOptions } from './repeating-http.js';
export * from './subjects/subject-client.js';
export * from './subjects/subject-consents.js';
export * from './subjects/subject-disputes.js';
export type { TokenProvider } from './token-source.js';
export * from './toy-bank.js';
export { verifyAllowance, verifyConsent, verifyDecisionReceipt, verifyEvidence, type KeySet } from './verify-offline.js';
