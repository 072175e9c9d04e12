import { hash } from 'node:crypto';
import { setImmediate as pause } from 'node:timers/promises';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { encodeBase64Url, respond } from '#evidence';
import { Refusal } from '#kernel';
import type { Participant } from '#partners';
import { type HeldRecord, RecordSets, type SetSnapshot } from '#records';
import { Caller } from '../channel/caller.js';
import { readRecordIds } from './record-ids.js';
import { SetBudget } from './set-budget.js';
import { readSetQuery } from './set-query.js';

/** The largest message of a comparison that is accepted, and that is sent. */
const reconcileMessageBytesMax = 256 * 1024;

/** What a call costs of the budget beside what it carries: looking, each item looked through, each record read. */
const callBytes = 64;
const itemsPerByte = 16;
const recordBytes = 256;

/** Records given at once; the rest is asked for again. */
const recordsBytesMax = 4 * 1024 * 1024;

const OCTETS = 'application/octet-stream';
type Query = Readonly<Record<string, unknown>>;

/** What a participant and we hold of its records, compared (CONTRACT.md §3). */
@ApiTags('record sets')
@Controller('v1/record-sets')
export class RecordSetsController {
  constructor(
    @Inject(RecordSets) private readonly sets: RecordSets,
    @Inject(SetBudget) private readonly budget: SetBudget,
  ) {}

  @Get(':set')
  @ApiOperation({
    summary: 'How many of your records the set has now, and the log index of this snapshot',
    description:
      'The set `issued` has all records of yours that were accepted, as far as their facts are in the log (10 s). `before` (seconds) leaves out records ' +
      'with that `iat` or a later one: name a time some minutes ago while you go on sending. Give the log index to every further call: the snapshot ' +
      'stays the same while new records come in.',
  })
  async look(@Caller() caller: Participant, @Param('set') set: string, @Query() query: Query): Promise<object> {
    await this.budget.spendBytes(caller.id, callBytes);
    const snapshot = await this.sets.snapshot(caller.id, readSetQuery(set, query));
    await this.budget.spendIds(caller.id, snapshot.derived);
    return viewSnapshot(snapshot);
  }

  @Post(':set/reconcile')
  @HttpCode(200)
  @Header('content-type', OCTETS)
  @ApiConsumes(OCTETS)
  @ApiProduces(OCTETS)
  @ApiOperation({
    summary: 'One message of the Negentropy protocol, version 1; the answer is the next one',
    description:
      'You begin, and go on until your side has nothing more to say. Items: id = SHA-256 of the payload bytes of a record, timestamp = its `iat`. Nothing ' +
      'is remembered between two messages: `logIndex` (required) and `before` name the snapshot. At most 256 KiB a message, 64 MiB a minute.',
  })
  async reconcile(@Caller() caller: Participant, @Param('set') set: string, @Query() query: Query, @Body() body: unknown): Promise<Buffer> {
    const message = messageOf(body);
    const asked = readSetQuery(set, query);
    if (asked.logIndex === undefined)
      throw new Refusal('malformed', 'query.malformed', 'say which snapshot: logIndex', { field: 'logIndex' });
    await this.budget.spendBytes(caller.id, message.length);
    const { items, derived } = await this.sets.snapshot(caller.id, asked);
    await this.budget.spendIds(caller.id, derived);
    const steps = respond({ items, sha256, frameBytesMax: reconcileMessageBytesMax }, message);
    for (;;) {
      const step = steps.next();
      if (step.done) {
        await this.budget.spendBytes(caller.id, step.value.length);
        return Buffer.from(step.value);
      }
      await pause();
    }
  }

  @Post(':set/records')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Records of yours by their ids: what you lack and we hold',
    description:
      '`{"ids": [...]}`, at most 256, base64url. Each record with its exact bytes: `jws`, or `payload` (base64url) of a line of a sealed batch. Ids in neither ' +
      '`records` nor `unknown` did not fit into this answer (4 MiB): ask for them again.',
  })
  async records(@Caller() caller: Participant, @Param('set') set: string, @Body() body: unknown): Promise<object> {
    const ids = readRecordIds(body);
    const snapshot = await this.sets.snapshot(caller.id, { set });
    await this.budget.spendBytes(caller.id, snapshot.count / itemsPerByte + ids.length * recordBytes);
    const found = await this.sets.find(snapshot, ids);
    const known = new Set(found.map(({ id }) => encodeBase64Url(id)));
    const unknown = ids.map(encodeBase64Url).filter((id) => !known.has(id));
    return { records: fitting(found).map(viewRecord), unknown };
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

function messageOf(body: unknown): Buffer {
  if (!Buffer.isBuffer(body)) throw new Refusal('unsupported_media', 'media_type.unsupported', `send the message as ${OCTETS}`);
  if (body.length <= reconcileMessageBytesMax) return body;
  throw new Refusal('too_large', 'reconcile.too_large', 'a message is larger than this call accepts', {
    limit: `reconcileMessageBytesMax=${reconcileMessageBytesMax}`,
  });
}

function viewSnapshot({ place, count }: SetSnapshot): object {
  const { set, logIndex, before } = place;
  return { set, logIndex: logIndex.toString(), ...(before === undefined ? {} : { before }), count };
}

/** As many records, from the first on, as fit into one answer; at least one. */
function fitting(records: readonly HeldRecord[]): HeldRecord[] {
  let bytes = 0;
  return records.filter(({ received }, i) => (bytes += received.length) <= recordsBytesMax || i === 0);
}

const COMPACT_JWS = /^[A-Za-z0-9_-]+\./;

function viewRecord({ jti, id, received }: HeldRecord): object {
  const text = Buffer.from(received).toString('latin1');
  return { id: encodeBase64Url(id), jti, ...(COMPACT_JWS.test(text) ? { jws: text } : { payload: encodeBase64Url(received) }) };
}
