import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { pollRequest, resendRequest, webhookRegistration } from '#contract';
import { ANSWERS } from './answers/answers.js';
import { gatewayKeyAnswer } from './participants/gateway-keys.controller.js';
import { certificateRequest } from './participants/partner-certificates.controller.js';
import { compromiseReport, keyAnnouncement } from './participants/partner-keys.controller.js';
import { recordIdsRequest } from './record-sets/record-ids.js';

const ABOUT = `The interface of partner banks: mutual TLS, signed requests and records, problem+json (RFC 9457) with stable codes.

**Sign every request that changes something** (RFC 9421): send \`Content-Digest: sha-256=:…:\`,
\`Signature-Input: sig1=("@method" "@target-uri" "content-digest");created=…;keyid="…";nonce="…";tag="fapi-2-request"\` and
\`Signature: sig1=:…:\`, made over
\`\`\`
"@method": POST
"@target-uri": https://…/v1/records
"content-digest": sha-256=:…:
"@signature-params": ("@method" "@target-uri" "content-digest");created=…;keyid="…";nonce="…";tag="fapi-2-request"
\`\`\`
with a registered key of yours: ed25519, ecdsa-p256-sha256 or rsa-pss-sha512. A new nonce and created for each sending, repetitions too.
\`POST /v1/security/echo\` shows what we computed and which step failed. Every answer under /v1 is signed with a key of
\`/.well-known/jwks.json\`.

**What a record may say** stands in JSON Schemas (draft 2020-12) to download: \`GET /v1/schemas\`.`;

/** OpenAPI as JSON at /docs-json and as a page at /docs; behind the channel like everything else. */
export function documentGateway(app: NestFastifyApplication): void {
  const settings = new DocumentBuilder().setTitle('Tallystick gateway').setDescription(ABOUT).setVersion('0.1.0').build();
  SwaggerModule.setup('docs', app, () => withWhatAllHave(SwaggerModule.createDocument(app, settings)));
}

/** Bodies that handlers read themselves, strictly, are described from the schema they are read with. */
const JSON_BODIES: Readonly<Record<string, z.ZodType>> = {
  '/v1/participants/me/keys': keyAnnouncement,
  '/v1/participants/me/keys/{kid}/compromise': compromiseReport,
  '/v1/participants/me/certificates': certificateRequest,
  '/v1/participants/me/gateway-keys/{kid}/check': gatewayKeyAnswer,
  '/v1/events/poll': pollRequest,
  '/v1/webhooks': webhookRegistration,
  '/v1/webhooks/dead-letters/resend': resendRequest,
  '/v1/record-sets/{set}/records': recordIdsRequest,
};

const JWS = { 'application/jose': { schema: { type: 'string', description: 'a compact JWS' } } };

/** Documents are kept and judged byte by byte. */
const DOCUMENTS: Readonly<Record<string, object>> = {
  '/v1/records': JWS,
  '/v1/security/echo': JWS,
  '/v1/participants/me/keys/{kid}/proofs': JWS,
  '/v1/record-sets/{set}/statements': JWS,
  '/v1/record-batches': { 'application/x-ndjson': { schema: { type: 'string', description: 'one record on each line' } } },
  '/v1/statements': { 'application/xml': { schema: { type: 'string', description: 'camt.053' } } },
  '/v1/record-sets/{set}/reconcile': { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
};

/** RFC 9457; `code` is what to program against. */
const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'instance'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'stable, such as signature.invalid' },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'correlation id: quote it when you ask' },
    field: { type: 'string', description: 'JSON pointer or header name of the input at fault' },
    limit: { type: 'string', description: 'the limit that was passed, such as recordBytesMax=65536' },
    retryAfterSeconds: { type: 'integer', description: 'as the header Retry-After' },
  },
};
const PROBLEM = {
  description: 'problem+json with a stable code',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

const header = (name: string, description: string) => ({ name, in: 'header', required: true, description, schema: { type: 'string' } });

/** RFC 9421 and RFC 9530: the description of the document says over what they are made. */
const SIGNATURE_HEADERS = [
  header('Content-Digest', 'sha-256=:…: or sha-512=:…: of the body'),
  header('Signature-Input', 'sig1=(…);created=…;keyid="…";nonce="…";tag="fapi-2-request"'),
  header('Signature', 'sig1=:…:'),
];

interface Operation {
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Record<string, { readonly description?: string }>;
}

const MEANS = {
  200: 'done, or found',
  201: 'kept',
  202: 'taken, and worked off from now on: ask for it where Location says',
  204: 'gone',
} as const;
const REPEATED = { description: 'true: the same was sent before, and this is its answer', schema: { type: 'string' } };

const METHODS = ['get', 'post', 'put', 'delete'] as const;

function withWhatAllHave(document: OpenAPIObject): OpenAPIObject {
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, item]) => {
      const operations = item as unknown as Partial<Record<(typeof METHODS)[number], Operation>>;
      const told = METHODS.flatMap((method) => {
        const operation = operations[method];
        return operation ? [[method, completed(path, method, operation)] as const] : [];
      });
      return [path, { ...item, ...Object.fromEntries(told) }];
    }),
  ) as unknown as OpenAPIObject['paths'];
  const schemas = { ...document.components?.schemas, Problem: PROBLEM_SCHEMA };
  return { ...document, paths, components: { ...document.components, schemas } } as OpenAPIObject;
}

function completed(path: string, method: (typeof METHODS)[number], operation: Operation): Operation {
  const isSigned = method !== 'get' && path.startsWith('/v1/');
  const content = method === 'post' || method === 'put' ? contentOf(path) : undefined;
  return {
    ...operation,
    ...(isSigned ? { parameters: [...(operation.parameters ?? []), ...SIGNATURE_HEADERS] } : {}),
    ...(content ? { requestBody: { required: true, content } } : {}),
    responses: { ...answersOf(path, method, operation), default: PROBLEM },
  };
}

/** Nest knows neither what its handlers answer nor every status of theirs. */
function answersOf(path: string, method: string, { responses }: Operation): Operation['responses'] {
  const answer = ANSWERS[`${method.toUpperCase()} ${path}`];
  if (!answer) return responses;
  const content = Object.fromEntries(
    Object.entries(answer.content).map(([type, { schema, text }]) => [
      type,
      {
        schema: schema
          ? { ...schemaOf(schema), ...(text === undefined ? {} : { description: text }) }
          : { type: 'string', description: text },
      },
    ]),
  );
  const body = Object.keys(content).length > 0 ? { content } : {};
  const headers = answer.statuses.length > 1 ? { headers: { 'Idempotency-Hit': REPEATED } } : {};
  return Object.fromEntries(
    answer.statuses.map((status) => [
      status,
      { description: responses[status]?.description || MEANS[status], ...(status === 200 ? headers : {}), ...body },
    ]),
  );
}

/** As it is sent. Answers are open for names that a later release adds. */
function schemaOf(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
}

function contentOf(path: string): object | undefined {
  const schema = JSON_BODIES[path];
  if (!schema) return DOCUMENTS[path];
  return { 'application/json': { schema: schemaOf(schema) } };
}
