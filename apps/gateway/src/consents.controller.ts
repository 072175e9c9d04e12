import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Consent, ConsentReader } from '#consents';
import { PgConsentReader } from '#consents/adapters/pg-consent-reader';
import { consentRequestSchema, parseConsentPage, parseConsentRequest, parseIdempotencyKey, parseNumberedPage } from '#contract';
import { type Clock, formatId, parseId } from '#kernel';
import type { Participant } from '#partners';
import { CLOCK } from '#platform/adapters/platform.module';
import { Consents, type Notary, showConsent, showUse, showVersions, unknownConsent } from '#standing';
import { NOTARY } from '#standing/adapters/standing.module';
import { Caller } from './channel/caller.js';

const BODY = z.toJSONSchema(consentRequestSchema, { target: 'openapi-3.0', io: 'input' }) as Record<string, unknown>;

/** What subjects allow the participant to read, and every read of its (CONTRACT.md §4). */
@ApiTags('consents')
@Controller('v1/consents')
export class ConsentsController {
  constructor(
    @Inject(Consents) private readonly consents: Consents,
    @Inject(PgConsentReader) private readonly reader: ConsentReader,
    @Inject(NOTARY) private readonly notary: Notary,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: 'the same key and body give the first consent again' })
  @ApiBody({ schema: BODY })
  @ApiOperation({
    summary: 'Ask a subject of yours for a consent; consent.granted or consent.rejected says what became of it',
    description:
      'The subject may grant less than you ask for: read `claims`, `threshold`, `fetch` and `expiresAt` of what it granted. You may have consents to ' +
      'several thresholds; you get the answer to one of them at a time (see the rating).',
  })
  async request(
    @Caller() caller: Participant,
    @Headers('idempotency-key') key: unknown,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const { consent, repeated } = await this.consents.request(caller.id, parseIdempotencyKey(key), parseConsentRequest(body));
    if (repeated) void reply.status(200).header('idempotency-hit', 'true');
    void reply.header('location', `/v1/consents/${formatId('cns', consent.id)}`);
    return showConsent(consent, this.clock.now(), this.notary);
  }

  @Get()
  @ApiQuery({ name: 'sub', required: false, description: 'lnk_…: of one subject' })
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 200; 50 where it is left out' })
  @ApiOperation({ summary: 'Your consents in every state, the newest first, in pages' })
  async list(@Caller() caller: Participant, @Query() query: unknown): Promise<object> {
    const { after, limit, sub } = parseConsentPage(query);
    const link = sub === undefined ? undefined : parseId('lnk', sub);
    const page = { after: after === undefined ? undefined : parseId('cns', after).uuid, countMax: limit };
    const found = await this.reader.ofParticipant(caller.id, link, page);
    const at = this.clock.now();
    const next = found.length === limit ? { next: formatId('cns', found.at(-1)!.id) } : {};
    return { consents: found.map((consent) => showConsent(consent, at, this.notary)), ...next };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One consent, with its signed artefact: verify it offline with /.well-known/jwks.json' })
  async read(@Caller() caller: Participant, @Param('id') id: string): Promise<object> {
    return showConsent(await this.own(caller, id), this.clock.now(), this.notary);
  }

  @Get(':id/versions')
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 200; 50 where it is left out' })
  @ApiOperation({ summary: 'Every version a consent had, the first one first, each with its artefact, in pages' })
  async versions(@Caller() caller: Participant, @Param('id') id: string, @Query() query: unknown): Promise<object> {
    const page = parseNumberedPage(query);
    const versions = await this.reader.versions((await this.own(caller, id)).id, page);
    const next = versions.length === page.countMax ? { next: String(versions.at(-1)!.version) } : {};
    return { id, versions: showVersions(versions, this.notary), ...next };
  }

  @Get(':id/uses')
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 200; 50 where it is left out' })
  @ApiOperation({ summary: 'Every read under a consent, the first one first, in pages; the subject sees the same list' })
  async uses(@Caller() caller: Participant, @Param('id') id: string, @Query() query: unknown): Promise<object> {
    const page = parseNumberedPage(query);
    const uses = await this.reader.usesOf((await this.own(caller, id)).id, page);
    return { id, uses: uses.map(showUse), ...(uses.length === page.countMax ? { next: String(uses.at(-1)!.n) } : {}) };
  }

  @Post(':id/withdraw')
  @HttpCode(200)
  @ApiOperation({ summary: 'Take back a request, or give back a consent: nothing is read under it any more' })
  async withdraw(@Caller() caller: Participant, @Param('id') id: string): Promise<object> {
    const { consent } = await this.consents.act(parseId('cns', id), { kind: 'WITHDRAW' }, { participant: caller.id });
    return showConsent(consent, this.clock.now(), this.notary);
  }

  private async own({ id: participant }: Participant, id: string): Promise<Consent> {
    const consent = await this.reader.find(parseId('cns', id));
    if (consent?.participant !== participant) throw unknownConsent();
    return consent;
  }
}
