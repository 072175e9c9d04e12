import type { Readable } from 'node:stream';
import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { formatId, Refusal } from '#kernel';
import type { Participant } from '#partners';
import { Spool } from '#platform';
import { JobSender } from '#platform/adapters/queues.module';
import { ReceiveStatement } from '#reconciliation';
import { type SpooledStatement, spoolStatement } from '#reconciliation/adapters/spool-statement';
import { Caller } from './channel/caller.js';
import { viewReconciliation } from './reconciliation-view.js';

/** Statement files of partner banks (CONTRACT.md §8). */
@ApiTags('reconciliation')
@Controller('v1/statements')
export class StatementsController {
  constructor(
    @Inject(ReceiveStatement) private readonly statements: ReceiveStatement,
    @Inject(JobSender) private readonly jobs: JobSender,
    @Inject(Spool) private readonly spool: Spool,
  ) {}

  @Post()
  @ApiConsumes('application/xml')
  @ApiOperation({
    summary: 'File a camt.053 statement',
    description: 'At most 16 MiB. 202 with the reconciliation to poll; 200 and Idempotency-Hit where the same file was filed before.',
  })
  async file(
    @Caller() caller: Participant,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const spooled = await receiveBody(request.body, reply, this.spool);
    try {
      const { reconciliation, repeated } = await this.statements.receive(caller.id, spooled);
      const id = formatId('rec', reconciliation.id);
      if (!repeated) await this.jobs.send('reconcile', id, 0);
      void reply.status(repeated ? 200 : 202).header('location', `/v1/reconciliations/${id}`);
      if (repeated) void reply.header('idempotency-hit', 'true');
      return viewReconciliation(reconciliation);
    } finally {
      await spooled.discard();
    }
  }
}

async function receiveBody(body: unknown, reply: FastifyReply, spool: Spool): Promise<SpooledStatement> {
  if (!isReadable(body)) {
    throw new Refusal('unsupported_media', 'media_type.unsupported', 'send the statement as application/xml', { field: 'content-type' });
  }
  try {
    // A refused file still gets its answer: the stream must not be destroyed with its connection.
    return await spoolStatement(body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>, spool);
  } catch (error) {
    body.resume();
    void reply.header('connection', 'close');
    if (body.readableAborted) throw new Refusal('malformed', 'statement.truncated', 'the connection ended before the file did');
    throw error;
  }
}

function isReadable(body: unknown): body is Readable {
  return typeof (body as Readable | undefined)?.iterator === 'function';
}
