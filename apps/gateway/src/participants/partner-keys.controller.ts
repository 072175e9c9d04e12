import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { parsePage, parseStrictly } from '#contract';
import { parsePublicJwk } from '#evidence';
import { type Clock, formatFactId, isShard, isUuid, Refusal } from '#kernel';
import { getKey, type Participant, PartnerKeys } from '#partners';
import { CLOCK } from '#platform/adapters/platform.module';
import type { SuspectCursor } from '#records';
import { PgIssuerRecords } from '#records/adapters/pg-issuer-records';
import { Caller } from '../channel/caller.js';
import { viewKey } from './participant-view.js';

export const keyAnnouncement = z.strictObject({ jwk: z.unknown(), notAfter: z.iso.datetime({ offset: true }).optional() });
export const compromiseReport = z.strictObject({ suspectedSince: z.iso.datetime({ offset: true }).optional() });

/** A participant's own signing keys, from announced to retired (CONTRACT.md §1). Every call may be repeated. */
@ApiTags('participants')
@Controller('v1/participants/me/keys')
export class PartnerKeysController {
  constructor(
    @Inject(PartnerKeys) private readonly keys: PartnerKeys,
    @Inject(PgIssuerRecords) private readonly records: PgIssuerRecords,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Announce your next signing key: { jwk, notAfter? }; the answer holds the challenge that it must sign' })
  async announce(@Caller() caller: Participant, @Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const { jwk, notAfter } = parseStrictly(keyAnnouncement, body, 'key.malformed');
    const end = notAfter === undefined ? {} : { notAfter: new Date(notAfter) };
    if (end.notAfter && end.notAfter <= this.clock.now())
      throw new Refusal('unprocessable', 'key.expired', 'notAfter is past', { field: '/notAfter' });
    const key = await this.keys.announce(caller.id, { ...parsePublicJwk(jwk), ...end });
    void reply.header('location', `/v1/participants/me/keys/${encodeURIComponent(key.kid)}`);
    return this.view(key);
  }

  @Get(':kid')
  @ApiOperation({ summary: 'One of your keys, and how far it has come' })
  read(@Caller() caller: Participant, @Param('kid') kid: string): object {
    return this.view(getKey(caller, kid));
  }

  @Post(':kid/proofs')
  @HttpCode(200)
  @ApiConsumes('application/jose')
  @ApiOperation({ summary: 'A JWS by the announced key, typ key-proof+jwt, over exactly { challenge }; seconds later the key is READY' })
  async prove(@Caller() caller: Participant, @Param('kid') kid: string, @Body() body: unknown): Promise<object> {
    if (!Buffer.isBuffer(body)) throw new Refusal('unsupported_media', 'media_type.unsupported', 'send the JWS as application/jose');
    return this.view(await this.keys.prove(caller.id, kid, body.toString('latin1')));
  }

  @Post(':kid/activation')
  @HttpCode(200)
  @ApiOperation({ summary: 'This is your key from now on; the ones before stay good until you retire them' })
  async activate(@Caller() caller: Participant, @Param('kid') kid: string): Promise<object> {
    return this.view(await this.keys.activate(caller.id, kid));
  }

  @Post(':kid/retirement')
  @HttpCode(200)
  @ApiOperation({ summary: 'Accept nothing more under this key; refused for the last one' })
  async retire(@Caller() caller: Participant, @Param('kid') kid: string): Promise<object> {
    return this.view(await this.keys.retire(caller.id, kid));
  }

  @Post(':kid/compromise')
  @HttpCode(200)
  @ApiOperation({
    summary: 'This key may be in wrong hands, { suspectedSince? }: within 10 s nothing is accepted under it, whatever iat claims',
  })
  async compromise(@Caller() caller: Participant, @Param('kid') kid: string, @Body() body: unknown): Promise<object> {
    const { suspectedSince } = parseStrictly(compromiseReport, body ?? {}, 'key.malformed');
    const since = suspectedSince === undefined ? undefined : new Date(suspectedSince);
    return this.view(await this.keys.reportCompromised(caller.id, kid, since));
  }

  @Get(':kid/suspect-records')
  @ApiOperation({ summary: 'What we received under a compromised key since it is suspected; pages by ?after= and ?limit=' })
  async suspects(@Caller() caller: Participant, @Param('kid') kid: string, @Query() query: unknown): Promise<object> {
    const { after, countMax } = parsePage(query);
    const { suspectedSince } = getKey(caller, kid);
    if (!suspectedSince) throw new Refusal('conflict', 'key.not_compromised', 'nothing is suspected of this key');
    const page = await this.records.suspects(caller.id, { kid, since: suspectedSince }, parseCursor(after), countMax);
    return {
      kid,
      suspectedSince: suspectedSince.toISOString(),
      records: page.records.map(({ fact, acceptedAt, ...record }) => ({
        ...record,
        acceptedAt: acceptedAt.toISOString(),
        fact: formatFactId(fact.shard, fact.seq),
      })),
      ...(page.next ? { next: formatCursor(page.next) } : {}),
    };
  }

  private view(key: Parameters<typeof viewKey>[0]): object {
    return viewKey(key, this.clock.now());
  }
}

function formatCursor({ shard, acceptedAt, jti }: SuspectCursor): string {
  return `${shard}.${acceptedAt.getTime()}.${jti}`;
}

/** Refuses `query.malformed`. */
function parseCursor(text: string | undefined): SuspectCursor | undefined {
  if (text === undefined) return undefined;
  const [, shard, at, jti = ''] = /^([0-9]{1,3})\.([0-9]{1,14})\.([0-9a-f-]{36})$/.exec(text) ?? [];
  const value = Number(shard);
  if (isShard(value) && isUuid(jti)) return { shard: value, acceptedAt: new Date(Number(at)), jti };
  throw new Refusal('malformed', 'query.malformed', 'after must be the next of the page before', { field: 'after' });
}
