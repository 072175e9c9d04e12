import type { z } from 'zod';
import * as event from './event-answers.js';
import * as participant from './participant-answers.js';
import * as people from './people-answers.js';
import * as record from './record-answers.js';

/** What a call answers where it does not refuse. */
export interface Answer {
  readonly statuses: readonly (200 | 201 | 202 | 204)[];
  /** Media types with their forms; `text`: what is no JSON, in a word. None: no body. */
  readonly content: Readonly<Record<string, { readonly schema?: z.ZodType; readonly text?: string }>>;
}

const json = (schema: z.ZodType, ...statuses: Answer['statuses']): Answer => ({
  statuses: statuses.length === 0 ? [200] : statuses,
  content: { 'application/json': { schema } },
});
const other = (type: string, form: Answer['content'][string]): Answer => ({ statuses: [200], content: { [type]: form } });

const NDJSON = other('application/x-ndjson', { schema: record.lineOutcome, text: 'on each line' });

/** Every call of the gateway. `test/world/checked-answers.ts` holds every answer that any test gets against this. */
export const ANSWERS: Readonly<Record<string, Answer>> = {
  'GET /v1/participants/me': json(participant.participant),
  'POST /v1/participants/me/keys': json(participant.key, 201),
  'GET /v1/participants/me/keys/{kid}': json(participant.key),
  'POST /v1/participants/me/keys/{kid}/proofs': json(participant.key),
  'POST /v1/participants/me/keys/{kid}/activation': json(participant.key),
  'POST /v1/participants/me/keys/{kid}/retirement': json(participant.key),
  'POST /v1/participants/me/keys/{kid}/compromise': json(participant.key),
  'GET /v1/participants/me/keys/{kid}/suspect-records': json(participant.suspectRecords),
  'POST /v1/participants/me/certificates': json(participant.certificateRequest, 202, 200),
  'GET /v1/participants/me/certificates/{id}': json(participant.certificateRequest),
  'GET /v1/participants/me/gateway-keys/{kid}/check': json(participant.keyCheck),
  'POST /v1/participants/me/gateway-keys/{kid}/check': json(participant.gatewayKeys),
  'POST /v1/security/echo': json(participant.echo),
  'GET /.well-known/jwks.json': other('application/jwk-set+json', { schema: participant.jwks }),
  'GET /.well-known/jwt-vc-issuer': json(participant.issuerMetadata),

  'POST /v1/records': json(record.receipt, 201, 200),
  'GET /v1/records/{jti}': json(record.record),
  'GET /v1/records/{jti}/receipt': json(record.sealedReceipt),
  'GET /v1/records/{jti}/evidence': other('application/vnd.tallystick.record-evidence+json', { schema: record.evidence }),
  'POST /v1/record-batches': json(record.batch, 202, 200),
  'GET /v1/record-batches/{id}': json(record.batch),
  'GET /v1/record-batches/{id}/results': NDJSON,
  'GET /v1/record-batches/{id}/errors': NDJSON,
  'GET /v1/schemas': json(record.schemas),
  'GET /v1/schemas/{kind}': other('application/schema+json', { text: 'a JSON Schema, draft 2020-12' }),
  'GET /v1/record-sets/{set}': json(record.snapshot),
  'POST /v1/record-sets/{set}/reconcile': other('application/octet-stream', { text: 'the next message of Negentropy' }),
  'POST /v1/record-sets/{set}/records': json(record.recordsById),
  'POST /v1/record-sets/{set}/statements': json(record.setStatement, 201, 200),
  'GET /v1/record-sets/{set}/statements': json(record.setStatements),
  'POST /v1/statements': json(record.reconciliation, 202, 200),
  'GET /v1/reconciliations/{id}': json(record.reconciliationPages),

  'POST /v1/consents': json(people.consent, 201, 200),
  'GET /v1/consents': json(people.consents),
  'GET /v1/consents/{id}': json(people.consent),
  'GET /v1/consents/{id}/versions': json(people.consentVersions),
  'GET /v1/consents/{id}/uses': json(people.consentUses),
  'POST /v1/consents/{id}/withdraw': json(people.consent),
  'GET /v1/subjects/{ref}/rating': {
    statuses: [200],
    content: { 'application/dc+sd-jwt': { text: 'the credential, an SD-JWT VC' }, 'application/json': { schema: people.thresholdAnswer } },
  },
  'GET /v1/status-lists/{shard}/{list}': other('application/statuslist+jwt', { text: 'a signed Token Status List' }),
  'POST /v1/records/{jti}/disputes': json(people.dispute, 201, 200),
  'GET /v1/disputes': json(people.disputes),
  'GET /v1/disputes/{id}': json(people.dispute),
  'POST /v1/disputes/{id}/answer': json(people.dispute),

  'POST /v1/events/poll': json(event.poll),
  'PUT /v1/webhooks': json(event.webhook),
  'GET /v1/webhooks': json(event.webhook),
  'DELETE /v1/webhooks': { statuses: [204], content: {} },
  'GET /v1/webhooks/dead-letters': json(event.deadLetters),
  'POST /v1/webhooks/dead-letters/resend': json(event.resent),
};
