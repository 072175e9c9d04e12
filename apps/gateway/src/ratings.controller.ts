import { Controller, Get, Header, Headers, Inject, Param, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { parseIdempotencyKey, parseRatingQuery, RATING_MEDIA_TYPE, STATUS_LIST_MEDIA_TYPE, type ThresholdAnswer } from '#contract';
import type { JsonObject } from '#evidence';
import { parseId, Refusal } from '#kernel';
import type { Participant } from '#partners';
import { ReadRatings, StatusLists } from '#standing';
import { Caller } from './channel/caller.js';

const NUMBER = /^(0|[1-9][0-9]{0,9})$/;

/** Ratings of subjects who consented, exactly as far as they did (CONTRACT.md §3, §4). */
@ApiTags('ratings')
@Controller('v1')
export class RatingsController {
  constructor(
    @Inject(ReadRatings) private readonly ratings: ReadRatings,
    @Inject(StatusLists) private readonly statuses: StatusLists,
  ) {}

  @Get('subjects/:ref/rating')
  @Header('cache-control', 'no-store')
  @ApiQuery({ name: 'consent', description: 'cns_…: the consent you read under' })
  @ApiQuery({ name: 'claims', required: false, description: 'fewer claims than the consent names, with commas' })
  @ApiQuery({ name: 'purpose', required: false, description: 'the purpose you read for; it must be the consent’s' })
  @ApiQuery({ name: 'fetchType', required: false, description: 'ONETIME or PERIODIC; it must be the consent’s' })
  @ApiQuery({ name: 'dataLifeSeconds', required: false, description: 'a shorter life of the data than the consent allows' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'needed under a ONETIME consent: the same key gives the same content again',
  })
  @ApiProduces(RATING_MEDIA_TYPE, 'application/json')
  @ApiOkResponse({ description: 'the credential; or { "answer": "Y" | "N" | "NA" } where the consent names a threshold' })
  @ApiOperation({
    summary: 'Read a rating under a consent: an SD-JWT VC with the consented claims, bound to your newest active key; or Y, N or NA',
    description:
      'Every read is counted, and listed to the subject. 403 consent.required without a consent in force; 412 consent.<attribute> names what does not ' +
      'fit: claims, threshold, purpose, fetch_type, data_life, frequency. The answer to a threshold is the same for 24 hours, and while you may hold it ' +
      '(its data life, 24 hours at least) no other threshold of this subject is answered: 412 consent.threshold with Retry-After. NA binds to nothing. What you ' +
      'furnished yourself counts in it as it did when the consent was granted.',
  })
  async read(
    @Caller() caller: Participant,
    @Param('ref') ref: string,
    @Query() query: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | { answer: ThresholdAnswer }> {
    const { consent, ...wish } = parseRatingQuery(query);
    const told = await this.ratings.read({
      participant: caller.id,
      ref: parseId('lnk', ref),
      consent: parseId('cns', consent),
      ...wish,
      key: key === undefined ? undefined : parseIdempotencyKey(key),
      holderKey: holderKeyOf(caller),
    });
    if (told.repeated) void reply.header('idempotency-hit', 'true');
    if ('answer' in told) return { answer: told.answer };
    void reply.type(RATING_MEDIA_TYPE);
    return told.credential;
  }

  @Get('status-lists/:shard/:list')
  @ApiProduces(STATUS_LIST_MEDIA_TYPE)
  @ApiOperation({
    summary: 'A signed Token Status List: whether credentials still stand (draft-ietf-oauth-status-list)',
    description:
      'INVALID: the consent was revoked, a record that what you read rests on was corrected, withdrawn or removed, or a restriction that you read was ' +
      'overturned on appeal. SUSPENDED: the consent is paused, or a record is disputed since: read again.',
  })
  async statusList(
    @Caller() caller: Participant,
    @Param('shard') shard: string,
    @Param('list') list: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const numbers = [shard, list].map((text) => (NUMBER.test(text) ? Number(text) : -1)) as [number, number];
    const token = await this.statuses.token(...numbers, caller.id);
    void reply.type(STATUS_LIST_MEDIA_TYPE);
    return token;
  }
}

/** The key a credential is bound to: the participant's newest active one. Refuses 409 `key.none_active`. */
function holderKeyOf({ keys }: Participant): JsonObject {
  const active = keys.filter(({ state }) => state === 'ACTIVE');
  const newest = active.reduce((a, b) => (b.changedAt > a.changedAt ? b : a), active[0]!);
  if (active.length === 0) throw new Refusal('conflict', 'key.none_active', 'register a signing key first: what you read is bound to it');
  const { kid, alg, jwk } = newest;
  return { ...(jwk as JsonObject), kid, alg };
}
