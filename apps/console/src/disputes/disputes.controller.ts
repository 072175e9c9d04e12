import { Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { AffectedDecisions, type AffectedPage, showAffected, showRedecided } from '#decisions';
import { type Clock, parseId, Refusal, type ShardedId } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { StaffDoor, type StaffMember } from '#staff';
import { type DisputeFile, disputeUnknown, showDispute } from '#standing';
import { PgDisputeReader } from '#standing/adapters/pg-dispute-reader';
import type { AffectedPageView, AffectedView, DisputeDeskView, DisputeView } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';

const rowsShownMax = 200;
const OF_SUBJECT = z.strictObject({ subject: z.string().max(64).optional() });
const AFTER = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9]{1,18}$/)
    .default('0'),
});

/** Disputes of records, their clocks, and the decisions that used what was disputed. Every look at one is a fact. */
@Controller('api/disputes')
export class DisputesController {
  constructor(
    @Inject(PgDisputeReader) private readonly reader: PgDisputeReader,
    @Inject(AffectedDecisions) private readonly affected: AffectedDecisions,
    @Inject(StaffDoor) private readonly staff: StaffDoor,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What is open, the first due on top, and what is closed and not heard by everybody; or all of one subject's, the newest first. */
  @Get()
  @Allow('restrictions.read')
  async desk(@Query() query: unknown, @Staff() member: StaffMember): Promise<DisputeDeskView> {
    const { subject: text } = parseInput(OF_SUBJECT, query);
    const subject = text === undefined ? undefined : parseId('sub', text);
    const found = subject ? await this.ofSubject(subject) : await this.reader.open(rowsShownMax + 1);
    const files = found.slice(0, rowsShownMax);
    const view = subject ? { what: 'disputes.subject', subject } : { what: 'disputes.list' };
    await this.staff.noteViews(member, [{ ...view, rows: files.length }]);
    const at = this.clock.now();
    return { at: at.toISOString(), disputes: files.map((file) => showDispute(file, at)), more: found.length > files.length };
  }

  @Get(':id')
  @Allow('restrictions.read')
  async find(@Param('id') id: string, @Staff() member: StaffMember): Promise<{ at: string; dispute: DisputeView }> {
    const file = await this.get(id);
    await this.staff.noteViews(member, [{ what: 'disputes.one', subject: file.dispute.subject, rows: 1 }]);
    const at = this.clock.now();
    return { at: at.toISOString(), dispute: showDispute(file, at) };
  }

  /** The decisions that used the record. */
  @Get(':id/decisions')
  @Allow('restrictions.read')
  async decisions(@Param('id') id: string, @Query() query: unknown, @Staff() member: StaffMember): Promise<AffectedPageView> {
    const { after } = parseInput(AFTER, query);
    const { dispute } = await this.get(id);
    const page = await this.affected.list(parseId('dsp', id), BigInt(after));
    await this.staff.noteViews(member, [{ what: 'disputes.decisions', subject: dispute.subject, rows: page.decisions.length }]);
    return pageOf(page, showAffected);
  }

  /** Decides them again as they should have been; changes nothing, and is a fact. */
  @Post(':id/re-evaluations')
  @HttpCode(200)
  @Allow('restrictions.order')
  async redecide(@Param('id') id: string, @Query() query: unknown, @Staff() member: StaffMember): Promise<AffectedPageView> {
    const { after } = parseInput(AFTER, query);
    return pageOf(await this.affected.redecide(parseId('dsp', id), member.id, BigInt(after)), showRedecided);
  }

  private async ofSubject(subject: ShardedId): Promise<DisputeFile[]> {
    const found = await this.reader.ofSubject(subject, { after: undefined, countMax: rowsShownMax + 1, state: undefined });
    if (!found) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
    return found;
  }

  private async get(id: string): Promise<DisputeFile> {
    const file = await this.reader.find(parseId('dsp', id));
    if (!file) throw disputeUnknown();
    return file;
  }
}

function pageOf<T>({ decisions, next }: AffectedPage<T>, show: (one: T) => AffectedView): AffectedPageView {
  return { decisions: decisions.map(show), ...(next === undefined ? {} : { next: next.toString() }) };
}
