import { Body, Controller, Get, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { InclusionProofs } from '#audit';
import { INCLUSION_PROOFS } from '#audit/adapters/audit.module';
import { encodeBase64Url } from '#evidence';
import { formatFactId, formatId, Refusal, type Verified } from '#kernel';
import { type Participant, ParticipantRegistry, suspicionOf } from '#partners';
import { PgPresentedCertificates } from '#partners/adapters/pg-presented-certificates';
import type { TransportIdentity } from '#platform/adapters/mtls-peer';
import { checkIssuer, recordBytesMax, type RecordFinder, type SignedRecord } from '#records';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import { AcceptRecord } from '#standing';
import { readRecord } from '#standing/adapters/read-record';
import { Caller, CallerCertificate } from './channel/caller.js';
import { SignedNonce } from './channel/request-nonce.js';
import type { RequestNonce } from './channel/request-signature.js';
import { findOwnRecord } from './own-record.js';

/** Credit records of the calling participant (CONTRACT.md §3). */
@ApiTags('records')
@Controller('v1/records')
export class RecordsController {
  constructor(
    @Inject(ParticipantRegistry) private readonly registry: ParticipantRegistry,
    @Inject(AcceptRecord) private readonly accept: AcceptRecord,
    @Inject(PgRecordBook) private readonly records: RecordFinder,
    @Inject(INCLUSION_PROOFS) private readonly proofs: InclusionProofs,
    @Inject(PgPresentedCertificates) private readonly certificates: PgPresentedCertificates,
  ) {}

  @Post()
  @ApiConsumes('application/jose')
  @ApiOperation({ summary: 'Submit one signed record; 201 with a receipt, 200 with the first receipt when it is a repetition' })
  async submit(
    @Caller() caller: Participant,
    @CallerCertificate() certificate: TransportIdentity,
    @SignedNonce() nonce: RequestNonce | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ receipt: string }> {
    const record = await this.readOwn(caller, certificate, body).catch(async (error: unknown) => {
      // Refused, so there is no effect with which its nonce could be spent.
      await nonce?.spend();
      throw error;
    });
    await this.certificates.keep(caller.id, certificate);
    const { receipt, repeated } = await this.accept.run(caller.id, record, nonce);
    void reply.header('location', `/v1/records/${record.value.record.jti}`);
    if (repeated) void reply.status(200).header('idempotency-hit', 'true');
    return { receipt };
  }

  private async readOwn(caller: Participant, { x5t }: TransportIdentity, body: unknown): Promise<Verified<SignedRecord>> {
    const record = await readRecord(this.registry, caller.id, documentOf(body), x5t);
    checkIssuer(record.value.record, caller.id);
    return record;
  }

  @Get(':jti')
  @ApiOperation({ summary: 'A record you sent, with its exact bytes: `jws`, or `payload` (base64url) of a line of a sealed batch' })
  async read(@Caller() caller: Participant, @Param('jti') jti: string): Promise<object> {
    const record = await findOwnRecord(this.records, caller, jti);
    const { seq, kind, ref, names, issuedAt, acceptedAt, payloadDigest, received, factSeq, manifest } = record;
    const bytes = asText(received);
    const suspicion = suspicionOf(caller, manifest ? asText(manifest) : bytes, acceptedAt);
    return {
      iss: caller.id,
      jti,
      seq,
      kind,
      sub: formatId('lnk', ref),
      ...(names === undefined ? {} : { names }),
      issuedAt: issuedAt.toISOString(),
      acceptedAt: acceptedAt.toISOString(),
      payloadDigest: encodeBase64Url(payloadDigest),
      fact: formatFactId(ref.shard, factSeq),
      // A line of a sealed batch has no signature of its own: its evidence holds the manifest.
      ...(manifest ? { payload: encodeBase64Url(received) } : { jws: bytes }),
      ...(suspicion ? { suspect: { kid: suspicion.kid, since: suspicion.since.toISOString() } } : {}),
    };
  }

  @Get(':jti/receipt')
  @ApiOperation({ summary: 'The receipt; once the fact is sealed, with its log index and inclusion proof (.tlog-proof)' })
  async receipt(@Caller() caller: Participant, @Param('jti') jti: string): Promise<object> {
    const { ref, factSeq } = await findOwnRecord(this.records, caller, jti);
    const receipt = (await this.records.receiptsOf(caller.id, [jti])).get(jti);
    const sealed = await this.proofs.find(ref.shard, factSeq);
    return {
      receipt,
      fact: formatFactId(ref.shard, factSeq),
      ...(sealed ? { logIndex: sealed.index.toString(), proof: sealed.proof } : {}),
    };
  }
}

const asText = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

function documentOf(body: unknown): Buffer {
  if (!Buffer.isBuffer(body)) throw new Refusal('unsupported_media', 'media_type.unsupported', 'send the JWS as application/jose');
  if (body.length > recordBytesMax) {
    throw new Refusal('too_large', 'body.too_large', 'a record is larger than this call accepts', {
      limit: `recordBytesMax=${recordBytesMax}`,
    });
  }
  return body;
}
