import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { type Consent, type ConsentAction, type ConsentReader, readNarrowing } from '#consents';
import { PgConsentReader } from '#consents/adapters/pg-consent-reader';
import { parseConsentNarrowing, parseConsentPage, parseNumberedPage } from '#contract';
import { type Clock, formatId, parseId, Refusal } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { Consents, showHistoryOf, showSubjectConsent, showSubjectUse, unknownConsent } from '#standing';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';
import { Reads } from './reads/reads.js';

/** A subject's consents: what it was asked for, what it allowed, and who saw what, when, why (CONTRACT.md §4). */
@ApiTags('consents')
@Controller('v1/subjects/:id')
export class ConsentsController {
  constructor(
    @Inject(Consents) private readonly consents: Consents,
    @Inject(PgConsentReader) private readonly reader: ConsentReader,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('consents')
  @Reads('consents.list')
  @Scopes('consents:read')
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 200; 50 where it is left out' })
  @ApiOperation({ summary: 'Requests and consents of a subject in every state, the newest first, in pages' })
  async list(@Param('id') id: string, @Query() query: unknown): Promise<object> {
    const { after, limit } = parseConsentPage(query);
    const page = { after: after === undefined ? undefined : parseId('cns', after).uuid, countMax: limit };
    const found = known(await this.reader.ofSubject(parseId('sub', id), page));
    const at = this.clock.now();
    const next = found.length === limit ? { next: formatId('cns', found.at(-1)!.id) } : {};
    return { subject: id, consents: found.map((consent) => showSubjectConsent(consent, at)), ...next };
  }

  @Get('consents/:consentId')
  @Reads('consents.one')
  @Scopes('consents:read')
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before: a version' })
  @ApiQuery({ name: 'limit', required: false, description: 'versions, 1 to 200; 50 where it is left out' })
  @ApiOperation({ summary: 'One consent with the versions it had, in pages: what changed, when, by whom, through which service' })
  async read(@Param('id') id: string, @Param('consentId') consentId: string, @Query() query: unknown): Promise<object> {
    const page = parseNumberedPage(query);
    const consent = await this.own(id, consentId);
    const versions = await this.reader.versions(consent.id, page);
    const next = versions.length === page.countMax ? { next: String(versions.at(-1)!.version) } : {};
    return { ...showSubjectConsent(consent, this.clock.now()), versions: showHistoryOf(versions), ...next };
  }

  @Get('consents/:consentId/uses')
  @Reads('consents.uses')
  @Scopes('consents:read')
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 200; 50 where it is left out' })
  @ApiOperation({ summary: 'Every read under one consent, the first one first, in pages' })
  async uses(@Param('id') id: string, @Param('consentId') consentId: string, @Query() query: unknown): Promise<object> {
    const page = parseNumberedPage(query);
    const uses = await this.reader.usesOf((await this.own(id, consentId)).id, page);
    return {
      consent: consentId,
      uses: uses.map(showSubjectUse),
      ...(uses.length === page.countMax ? { next: String(uses.at(-1)!.n) } : {}),
    };
  }

  @Get('uses')
  @Reads('uses.list')
  @Scopes('consents:read')
  @ApiQuery({ name: 'after', required: false, description: '`next` of the page before' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 200; 50 where it is left out' })
  @ApiOperation({ summary: 'Who saw what of a subject, when, why: the reads under all its consents, the newest first, in pages' })
  async allUses(@Param('id') id: string, @Query() query: unknown): Promise<object> {
    const { after, countMax } = parseNumberedPage(query);
    const page = { after: after === undefined ? undefined : BigInt(after), countMax };
    const uses = known(await this.reader.usesOfSubject(parseId('sub', id), page));
    const next = uses.length === countMax ? { next: uses.at(-1)!.factSeq.toString() } : {};
    return { subject: id, uses: uses.map(showSubjectUse), ...next };
  }

  @Post('consents/:consentId/grant')
  @HttpCode(200)
  @Scopes('consents:write')
  @ApiOperation({ summary: 'The subject allows what was asked, or less of it: fewer claims, a higher threshold, a shorter life' })
  async grant(@Caller() caller: ServiceCaller, @Param('id') id: string, @Param('consentId') consentId: string, @Body() body: unknown) {
    return this.act(caller, id, consentId, { kind: 'GRANT', smaller: readNarrowing(parseConsentNarrowing(body)) });
  }

  @Post('consents/:consentId/narrow')
  @HttpCode(200)
  @Scopes('consents:write')
  @ApiOperation({ summary: 'The subject makes a consent smaller that it has granted; a threshold stays where it is' })
  async narrow(@Caller() caller: ServiceCaller, @Param('id') id: string, @Param('consentId') consentId: string, @Body() body: unknown) {
    return this.act(caller, id, consentId, { kind: 'NARROW', smaller: readNarrowing(parseConsentNarrowing(body)) });
  }

  @Post('consents/:consentId/reject')
  @HttpCode(200)
  @Scopes('consents:write')
  @ApiOperation({ summary: 'The subject refuses a request' })
  async reject(@Caller() caller: ServiceCaller, @Param('id') id: string, @Param('consentId') consentId: string) {
    return this.act(caller, id, consentId, { kind: 'REJECT' });
  }

  @Post('consents/:consentId/pause')
  @HttpCode(200)
  @Scopes('consents:write')
  @ApiOperation({ summary: 'Nothing is read under the consent until the subject resumes it' })
  async pause(@Caller() caller: ServiceCaller, @Param('id') id: string, @Param('consentId') consentId: string) {
    return this.act(caller, id, consentId, { kind: 'PAUSE' });
  }

  @Post('consents/:consentId/resume')
  @HttpCode(200)
  @Scopes('consents:write')
  @ApiOperation({ summary: 'A paused consent is in force again' })
  async resume(@Caller() caller: ServiceCaller, @Param('id') id: string, @Param('consentId') consentId: string) {
    return this.act(caller, id, consentId, { kind: 'RESUME' });
  }

  @Post('consents/:consentId/revoke')
  @HttpCode(200)
  @Scopes('consents:write')
  @ApiOperation({ summary: 'The subject ends a consent: when this answers, no read under it is answered any more' })
  async revoke(@Caller() caller: ServiceCaller, @Param('id') id: string, @Param('consentId') consentId: string) {
    return this.act(caller, id, consentId, { kind: 'REVOKE' });
  }

  private async act({ name }: ServiceCaller, id: string, consentId: string, action: ConsentAction): Promise<object> {
    const party = { subject: parseId('sub', id), via: name };
    const { consent } = await this.consents.act(parseId('cns', consentId), action, party);
    return showSubjectConsent(consent, this.clock.now());
  }

  private async own(id: string, consentId: string): Promise<Consent> {
    const subject = parseId('sub', id);
    const consent = await this.reader.find(parseId('cns', consentId));
    if (consent?.subject.uuid !== subject.uuid) throw unknownConsent();
    return consent;
  }
}

function known<T>(found: T | undefined): T {
  if (found === undefined) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
  return found;
}
