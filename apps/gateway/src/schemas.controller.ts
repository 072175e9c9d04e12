import { hash } from 'node:crypto';
import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { RECORD_SCHEMA_VERSION, RECORD_SCHEMAS } from '#contract';
import { Refusal } from '#kernel';

const SCHEMA_TYPE = 'application/schema+json';

/** Written once: what is downloaded today is byte for byte what was downloaded yesterday. */
const DOCUMENTS = new Map(RECORD_SCHEMAS.map(({ kind, schema }) => [kind, `${JSON.stringify(schema, null, 2)}\n`]));

/** What may be submitted, as JSON Schema, to check it before it is signed. */
@ApiTags('schemas')
@Controller('v1/schemas')
export class SchemasController {
  @Get()
  @ApiOperation({ summary: 'The JSON Schemas (draft 2020-12) of records, with version and digest' })
  list(): object {
    const schemas = [...DOCUMENTS].map(([kind, text]) => ({ kind, href: `/v1/schemas/${kind}`, sha256: hash('sha256', text) }));
    return { version: RECORD_SCHEMA_VERSION, schemas };
  }

  @Get(':kind')
  @ApiProduces(SCHEMA_TYPE)
  @ApiOperation({
    summary: 'One schema: record (of any kind), rating, performance, violation, clearance, correction, withdrawal, batch-manifest',
    description: 'The form alone: that a score lies on its scale, or a balance fits its status, is checked when the record comes.',
  })
  read(@Param('kind') kind: string, @Res({ passthrough: true }) reply: FastifyReply): string {
    const text = DOCUMENTS.get(kind);
    if (text === undefined) throw new Refusal('not_found', 'schema.unknown', 'GET /v1/schemas lists the kinds that there are');
    void reply.type(SCHEMA_TYPE).header('etag', `"${hash('sha256', text)}"`);
    return text;
  }
}
