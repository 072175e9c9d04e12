import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Post, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiProduces, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { formatId, parseId, Refusal } from '#kernel';
import { type Participant, ParticipantRegistry } from '#partners';
import { PgPresentedCertificates } from '#partners/adapters/pg-presented-certificates';
import type { TransportIdentity } from '#platform/adapters/mtls-peer';
import { JobSender } from '#platform/adapters/queues.module';
import { type LineOutcome, LINES_LOST, ReceiveBatch, type RecordBatch, type RecordFinder } from '#records';
import { CODINGS_TAKEN } from '#records/adapters/decode-body';
import { FsBatchFiles } from '#records/adapters/fs-batch-files';
import { PgBatchStore } from '#records/adapters/pg-batch-store';
import type { OpenManifest } from '#records/adapters/measure-lines';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import { openManifest } from '#standing/adapters/read-record';
import { Caller, CallerCertificate } from './channel/caller.js';
import { giveWay, SmallCalls } from './channel/give-way.js';

const NDJSON = 'application/x-ndjson';
const outcomesPerPageMax = 1_000;

/** Many records at once (CONTRACT.md §3): lines of signed records in, one outcome for each line out. */
@ApiTags('records')
@Controller('v1/record-batches')
export class RecordBatchesController {
  constructor(
    @Inject(FsBatchFiles) private readonly files: FsBatchFiles,
    @Inject(ReceiveBatch) private readonly batches: ReceiveBatch,
    @Inject(PgBatchStore) private readonly store: PgBatchStore,
    @Inject(PgRecordBook) private readonly records: RecordFinder,
    @Inject(JobSender) private readonly jobs: JobSender,
    @Inject(ParticipantRegistry) private readonly registry: ParticipantRegistry,
    @Inject(PgPresentedCertificates) private readonly certificates: PgPresentedCertificates,
    @Inject(SmallCalls) private readonly smallCalls: SmallCalls,
  ) {}

  @Post()
  @ApiConsumes(NDJSON)
  @ApiOperation({
    summary: 'Submit many signed records, one compact JWS on each line',
    description:
      '202 with the batch to poll; 200 and Idempotency-Hit where the same lines were sent before, unless their batch misses them: it goes on with them then. Content-Encoding gzip and zstd (window of 8 MiB at most, no dictionary) are taken. With profile=sealed ' +
      'the first line is a manifest, a JWS of typ record-batch+jwt over {iss, jti, iat, count, root}, and each further line is the payload of a record ' +
      'without a signature of its own; root is the RFC 6962 root over these lines. Outcomes name lines as they stand in the file: the manifest is line 1. Its lines are read while they come: ' +
      'faults says how many will be refused for what they are, and tells the first 100 with code and reason.',
  })
  async submit(
    @Caller() caller: Participant,
    @CallerCertificate() certificate: TransportIdentity,
    @Req() request: FastifyRequest,
    @Query('profile') profile: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    await this.certificates.keep(caller.id, certificate);
    const spooled = await this.spool(caller, request, profile, reply);
    const { batch, repeated } = await this.batches.receive(caller.id, spooled, certificate.x5t);
    const id = formatId('bat', batch.id);
    if (!repeated) await this.jobs.send('batch', id, 0);
    void reply.status(repeated ? 200 : 202).header('location', `/v1/record-batches/${id}`);
    if (repeated) void reply.header('idempotency-hit', 'true');
    return viewBatch(batch);
  }

  @Get(':id')
  @ApiOperation({
    summary: 'How far a batch is: counts of its lines by outcome; FAILED where its lines were lost and are to be sent again',
  })
  async read(@Caller() caller: Participant, @Param('id') id: string): Promise<object> {
    return viewBatch(await this.find(caller, id));
  }

  @Get(':id/results')
  @ApiProduces(NDJSON)
  @ApiOperation({
    summary: 'What became of each line taken so far, in order, with the receipt of each record',
    description: '`?after=` a line number goes on from there; `&limit=` gives so many lines at most.',
  })
  @ApiQuery({ name: 'after', required: false })
  @ApiQuery({ name: 'limit', required: false })
  async results(@Caller() caller: Participant, @Param('id') id: string, @Query() asked: PageAsked): Promise<StreamableFile> {
    return ndjson(this.outcomes(caller, await this.find(caller, id), pageOf(asked), false));
  }

  @Get(':id/errors')
  @ApiProduces(NDJSON)
  @ApiOperation({
    summary: 'The lines that were refused, with code and reason',
    description: '`?after=` and `&limit=` as for the results.',
  })
  @ApiQuery({ name: 'after', required: false })
  @ApiQuery({ name: 'limit', required: false })
  async errors(@Caller() caller: Participant, @Param('id') id: string, @Query() asked: PageAsked): Promise<StreamableFile> {
    return ndjson(this.outcomes(caller, await this.find(caller, id), pageOf(asked), true));
  }

  private async spool(caller: Participant, { body, headers }: FastifyRequest, profile: string | undefined, reply: FastifyReply) {
    const open = manifestOpener(profile, (received) => openManifest(this.registry, caller.id, received));
    if (!(body instanceof Readable)) {
      throw new Refusal('unsupported_media', 'media_type.unsupported', `send the lines as ${NDJSON}`, { field: 'content-type' });
    }
    try {
      // A refused batch still gets its answer: the stream must not be destroyed with its connection.
      const pieces = body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
      return await this.files.spool(giveWay(pieces, this.smallCalls), headers['content-encoding'], open);
    } catch (error) {
      body.resume();
      void reply.header('connection', 'close');
      if (error instanceof Refusal && error.kind === 'unsupported_media') void reply.header('accept-encoding', CODINGS_TAKEN);
      if (body.readableAborted) throw new Refusal('malformed', 'batch.truncated', 'the connection ended before the lines did');
      throw error;
    }
  }

  /** Whoever is not the sender gets what somebody gets who made the id up. */
  private async find(caller: Participant, id: string): Promise<RecordBatch> {
    const batch = await this.store.find(parseId('bat', id));
    if (batch?.participant !== caller.id) throw new Refusal('not_found', 'batch.unknown', 'you sent no such batch');
    return batch;
  }

  private async *outcomes(caller: Participant, batch: RecordBatch, asked: OutcomePage, refusedOnly: boolean): AsyncGenerator<string> {
    for (let { after: from, limit: left } = asked; left > 0;) {
      const countMax = Math.min(left, outcomesPerPageMax);
      const page = await this.store.outcomes(batch.id, from, countMax, refusedOnly);
      const receipts = refusedOnly ? undefined : await this.records.receiptsOf(caller.id, jtisOf(page));
      for (const outcome of page) yield `${JSON.stringify({ ...outcome, receipt: receipts?.get(outcome.jti ?? '') })}\n`;
      const last = page.at(-1);
      if (!last || page.length < countMax) return;
      from = last.line;
      left -= page.length;
    }
  }
}

/** Refuses 400 `batch.profile_unknown`. */
function manifestOpener(profile: string | undefined, open: OpenManifest): OpenManifest | undefined {
  if (profile === undefined) return undefined;
  if (profile === 'sealed') return open;
  throw new Refusal('malformed', 'batch.profile_unknown', 'profile is sealed, or left out', { field: 'profile' });
}

function jtisOf(outcomes: readonly LineOutcome[]): string[] {
  return outcomes.flatMap(({ outcome, jti }) => (outcome === 'REFUSED' || jti === undefined ? [] : [jti]));
}

function viewBatch(batch: RecordBatch): object {
  const { accepted, repeated, refused } = batch;
  return {
    id: formatId('bat', batch.id),
    state: batch.state,
    sha256: batch.digest,
    receivedAt: batch.receivedAt.toISOString(),
    ...(batch.finishedAt ? { finishedAt: batch.finishedAt.toISOString() } : {}),
    lines: { total: batch.linesTotal, done: accepted + repeated + refused, accepted, repeated, refused },
    ...(batch.faults ? { faults: batch.faults } : {}),
    ...(batch.state === 'FAILED' ? { failure: LINES_LOST } : {}),
  };
}

interface OutcomePage {
  readonly after: number;
  readonly limit: number;
}

/** Each as it came: a text, a list where it was said twice, or nothing. */
type PageAsked = Readonly<Partial<Record<keyof OutcomePage, unknown>>>;

/** Refuses 400 `batch.after_malformed`, `batch.limit_malformed`. */
function pageOf({ after = '0', limit = '9999999999' }: PageAsked): OutcomePage {
  return { after: lineNumber('after', after), limit: lineNumber('limit', limit) };
}

function lineNumber(field: keyof OutcomePage, text: unknown): number {
  if (typeof text === 'string' && /^[0-9]{1,10}$/.test(text)) return Number(text);
  throw new Refusal('malformed', `batch.${field}_malformed`, `${field} is a number of lines`, { field });
}

function ndjson(lines: AsyncIterable<string>): StreamableFile {
  return new StreamableFile(Readable.from(lines, { objectMode: false }), { type: NDJSON });
}
