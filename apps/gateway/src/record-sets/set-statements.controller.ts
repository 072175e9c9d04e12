import { Body, Controller, Get, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { encodeBase64Url, mapVerified, readStatement, SET_STATEMENT_TYPE, type VerificationKey, verifyJws } from '#evidence';
import { formatFactId, Refusal, type Verified } from '#kernel';
import { type Participant, ParticipantRegistry } from '#partners';
import { type AgreedStatement, AgreeOnSet, type ReceivedStatement, requireSet, type SetStatementStore } from '#records';
import { PgSetStatements } from '#records/adapters/pg-set-statements';
import { Caller } from '../channel/caller.js';
import { SetBudget } from './set-budget.js';
import { readNumber, requireNames } from './set-query.js';

const statementBytesMax = 8 * 1024;
const pageSizeMax = 100;

/** What both sides signed about a set (CONTRACT.md §3). */
@ApiTags('record sets')
@Controller('v1/record-sets/:set/statements')
export class SetStatementsController {
  constructor(
    @Inject(ParticipantRegistry) private readonly registry: ParticipantRegistry,
    @Inject(AgreeOnSet) private readonly agree: AgreeOnSet,
    @Inject(PgSetStatements) private readonly store: SetStatementStore,
    @Inject(SetBudget) private readonly budget: SetBudget,
  ) {}

  @Post()
  @ApiConsumes('application/jose')
  @ApiOperation({
    summary: 'State what you hold; 201 with our half where we hold the same, 409 with our count and root where not',
    description:
      'A JWS of typ record-set-statement+jwt over {iss, aud, iat, set, log_index, before?, count, root}: aud is our origin, log_index the snapshot as a string, ' +
      'root the RFC 6962 root over the ids sorted by their bytes, each id one leaf of 32 bytes, base64url. The answer holds both halves and verifies offline ' +
      'with `tallystick verify`. 200 and Idempotency-Hit where it was stated before.',
  })
  async state(
    @Caller() caller: Participant,
    @Param('set') set: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const received = await this.read(caller.id, documentOf(body));
    const { statement } = received.value;
    if (statement.set !== set)
      throw new Refusal('unprocessable', 'record_set.other_set', 'the statement is about another set', { field: '/set' });
    requireSet(set);
    await this.budget.spendIds(caller.id, statement.count);
    const { agreed, repeated } = await this.agree.run(caller.id, received);
    void reply.status(repeated ? 200 : 201);
    if (repeated) void reply.header('idempotency-hit', 'true');
    return viewAgreed(agreed);
  }

  @Get()
  @ApiOperation({
    summary: 'What was agreed, newest first',
    description: 'At most 100; the next page with afterLogIndex and afterBefore of the last one.',
  })
  async list(@Caller() caller: Participant, @Param('set') set: string, @Query() query: Readonly<Record<string, unknown>>): Promise<object> {
    requireSet(set);
    requireNames(query, ['afterLogIndex', 'afterBefore']);
    const [logIndex, before] = [readNumber(query, 'afterLogIndex'), readNumber(query, 'afterBefore')];
    const after = logIndex === undefined ? undefined : { set, logIndex: BigInt(logIndex), before };
    return { statements: (await this.store.list(caller.id, set, after, pageSizeMax)).map(viewAgreed) };
  }

  private async read(participant: string, received: Uint8Array): Promise<Verified<ReceivedStatement>> {
    let key: VerificationKey | undefined;
    const signed = await verifyJws(received, SET_STATEMENT_TYPE, (kid) => (key = this.registry.findKey(participant, kid)));
    const { kid, alg, jwk } = key!;
    return mapVerified(signed, ({ payload }) => ({ statement: readStatement(payload), key: { ...jwk, kid, alg } }));
  }
}

function documentOf(body: unknown): Buffer {
  if (!Buffer.isBuffer(body)) throw new Refusal('unsupported_media', 'media_type.unsupported', 'send the JWS as application/jose');
  if (body.length <= statementBytesMax) return body;
  throw new Refusal('too_large', 'body.too_large', 'a statement is smaller than this', { limit: `statementBytesMax=${statementBytesMax}` });
}

function viewAgreed({ set, logIndex, before, count, root, ownHalf, ourHalf, key, position }: AgreedStatement): object {
  return {
    set,
    logIndex: logIndex.toString(),
    ...(before === undefined ? {} : { before }),
    count,
    root: encodeBase64Url(root),
    agreedAt: position.at.toISOString(),
    fact: formatFactId(position.shard, position.seq),
    participant: Buffer.from(ownHalf).toString('latin1'),
    gateway: ourHalf,
    key,
  };
}
