import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import {
  allowanceRequestSchema,
  allowanceSettlementSchema,
  backtestRequestSchema,
  consentNarrowingSchema,
  decisionBatchSchema,
  decisionRequestSchema,
  disputeInformationRequest,
  linkedRequestSchema,
  openAnswersSchema,
  openDisputeRequest,
  releaseRequestSchema,
  settlementRequestSchema,
  simulationRequestSchema,
} from '#contract';
import { type Examples, readExamples } from './interface-files.js';

/** The page at /docs and the document at /docs-json: what Nest knows, and the hot routes that stand beside it. */
export function documentApi(app: NestFastifyApplication): void {
  const about = new DocumentBuilder()
    .setTitle('Tallystick decision-api')
    .setDescription(
      'May this subject do this, now, for this amount, at what discount? Errors are problem+json (RFC 9457) with a stable code.',
    )
    .setVersion('1')
    .addBearerAuth()
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, about);
  const paths = merged({ ...document.paths, ...withBodies(document.paths) }, HOT);
  SwaggerModule.setup('docs', app, { ...document, paths: withExamples(paths, readExamples()) });
}

const jsonBody = (schema: z.ZodType) =>
  ({
    required: true,
    content: { 'application/json': { schema: z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) } },
  }) as const;

const keyHeader = (description: string, required = false) =>
  ({ name: 'Idempotency-Key', in: 'header', required, description, schema: { type: 'string', minLength: 8, maxLength: 64 } }) as const;

const query = (name: string, description: string) =>
  ({ name, in: 'query', required: true, description, schema: { type: 'string' } }) as const;

const PROBLEM = { description: 'problem+json with a stable code', content: { 'application/problem+json': {} } };

const HOT = {
  '/v1/decisions': {
    post: {
      tags: ['decisions'],
      operationId: 'decide',
      summary: 'Decide, and with mode RESERVE hold the amount',
      parameters: [keyHeader('required for RESERVE: the same key and body give the first answer again')],
      requestBody: jsonBody(decisionRequestSchema),
      responses: {
        200: {
          description: 'A decision: ALLOW, DENY or REVIEW, with reasons',
          headers: {
            'Idempotency-Hit': { description: 'true: this is the first answer to the key, given again', schema: { type: 'string' } },
          },
        },
        default: PROBLEM,
      },
    },
  },
  '/v1/decisions:batch': {
    post: {
      tags: ['decisions'],
      operationId: 'decideBatch',
      summary: 'Up to 100 decisions; each has its own answer or problem, in order',
      requestBody: jsonBody(decisionBatchSchema),
      responses: { 200: { description: 'results[]: {answer, idempotencyHit?} or {problem}' }, default: PROBLEM },
    },
  },
  '/v1/decisions:linked': {
    post: {
      tags: ['decisions'],
      operationId: 'decideLinked',
      summary: 'Several reservations of one subject, all or none; each item has its own answer or problem, in order',
      parameters: [keyHeader('the group’s: the same key and body give the first answer again', true)],
      requestBody: jsonBody(linkedRequestSchema),
      responses: { 200: { description: 'outcome RESERVED or REFUSED, failed[], results[]: {answer} or {problem}' }, default: PROBLEM },
    },
    get: {
      tags: ['decisions'],
      operationId: 'findLinked',
      summary: 'What became of a linked batch after a timeout',
      parameters: [query('subject', 'sub_…'), query('key', 'the group’s Idempotency-Key')],
      responses: { 200: { description: 'the answer as it was given' }, default: PROBLEM },
    },
  },
} as unknown as OpenAPIObject['paths'];

const BODIES: Readonly<Record<string, z.ZodType>> = {
  '/v1/reservations/{id}/confirm': settlementRequestSchema,
  '/v1/reservations/{id}/release': releaseRequestSchema,
  '/v1/reservations/{id}/refund': settlementRequestSchema,
  '/v1/decisions/simulations': simulationRequestSchema,
  '/v1/allowances': allowanceRequestSchema,
  '/v1/allowances/{id}/settlements': allowanceSettlementSchema,
  '/v1/open-answers': openAnswersSchema,
  '/v1/subjects/{id}/disputes': openDisputeRequest,
  '/v1/disputes/{id}/information': disputeInformationRequest,
  '/v1/subjects/{id}/consents/{consentId}/grant': consentNarrowingSchema,
  '/v1/subjects/{id}/consents/{consentId}/narrow': consentNarrowingSchema,
  '/v1/backtests': backtestRequestSchema,
};

/** Bodies that handlers read themselves, strictly, are described from the schema they are read with. */
function withBodies(paths: OpenAPIObject['paths']): OpenAPIObject['paths'] {
  return Object.fromEntries(
    Object.entries(BODIES).map(([path, schema]) => {
      const item = paths[path];
      return [path, { ...item, post: { ...item?.post, requestBody: jsonBody(schema) } }];
    }),
  ) as unknown as OpenAPIObject['paths'];
}

/** One path may have methods on both sides. */
function merged(ours: OpenAPIObject['paths'], hot: OpenAPIObject['paths']): OpenAPIObject['paths'] {
  return { ...ours, ...Object.fromEntries(Object.entries(hot).map(([path, item]) => [path, { ...ours[path], ...item }])) };
}

/** Every operation shows a request that was sent and the answer it got. */
function withExamples(paths: OpenAPIObject['paths'], { http }: Examples): OpenAPIObject['paths'] {
  const shown = structuredClone(paths) as unknown as Record<string, Record<string, Operation>>;
  for (const [name, { request, response }] of Object.entries(http)) {
    const [method, path] = name.split(' ') as [string, string];
    const operation = shown[path]?.[method.toLowerCase()];
    if (!operation) continue;
    const body = operation.requestBody?.content['application/json'];
    const sent = (request as { readonly body?: unknown }).body;
    if (body && sent !== undefined) body.example = sent;
    const status = Object.keys(operation.responses).find((code) => code.startsWith('2')) ?? '200';
    const told = (operation.responses[status] ??= { description: '' });
    const type = typeof response === 'string' ? 'text/plain' : 'application/json';
    told.content = { ...told.content, [type]: { ...told.content?.[type], example: response } };
  }
  return shown as unknown as OpenAPIObject['paths'];
}

type Content = Record<string, { example?: unknown }>;

interface Operation {
  readonly requestBody?: { readonly content: Content };
  readonly responses: Record<string, { description: string; content?: Content }>;
}
