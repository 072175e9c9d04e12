import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { parseIdempotencyKey } from '#contract';
import { type Clock, parseId, Refusal } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { StaffDoor, type StaffMember } from '#staff';
import {
  type OrderRequest,
  parseStaffOrder,
  Restrictions,
  showAppeal,
  showHistory,
  showOrder,
  showRetraction,
  type RestrictionHistory,
} from '#standing';
import { PgRestrictionReader } from '#standing/adapters/pg-restriction-reader';
import { PgStaffNames } from '../adapters/pg-staff-names.js';
import type { OrderView, RestrictionDeskView, RetractionView, SubjectRestrictionsView } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';

const rowsShownMax = 200;
const WORD = z.strictObject({ approve: z.boolean() });

/** Restrictions, appeals and orders with their four eyes. Every look at a subject and every order is a fact. */
@Controller('api')
export class RestrictionsController {
  constructor(
    @Inject(Restrictions) private readonly restrictions: Restrictions,
    @Inject(PgRestrictionReader) private readonly reader: PgRestrictionReader,
    @Inject(PgStaffNames) private readonly names: PgStaffNames,
    @Inject(StaffDoor) private readonly staff: StaffDoor,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What waits for somebody: orders for a second person, appeals for an answer. */
  @Get('restrictions')
  @Allow('restrictions.read')
  async desk(@Staff() member: StaffMember): Promise<RestrictionDeskView> {
    const at = this.clock.now();
    const [appeals, orders] = await Promise.all([this.reader.openAppeals(rowsShownMax), this.reader.waitingOrders(rowsShownMax)]);
    await this.staff.noteViews(member, [{ what: 'restrictions.list', rows: appeals.length + orders.length }]);
    return { at: at.toISOString(), appeals: appeals.map((appeal) => showAppeal(appeal, at)), orders: await this.named(orders) };
  }

  /** Banks that have not acknowledged yet that a restriction is over. Names no subject. */
  @Get('retractions')
  @Allow('retractions.read')
  async retractions(): Promise<{ at: string; retractions: RetractionView[] }> {
    const at = this.clock.now();
    const open = await this.reader.openRetractions(rowsShownMax);
    return { at: at.toISOString(), retractions: open.map((one) => withoutSubject(showRetraction(one, at))) };
  }

  @Get('subjects/:id/restrictions')
  @Allow('restrictions.read')
  async ofSubject(@Param('id') id: string, @Staff() member: StaffMember): Promise<SubjectRestrictionsView> {
    const subject = parseId('sub', id);
    const history = await this.reader.ofSubject(subject);
    if (!history) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
    await this.staff.noteViews(member, [{ what: 'restrictions.subject', subject, rows: history.length }]);
    const at = this.clock.now();
    return { at: at.toISOString(), subject: id, restrictions: history.map((one) => shown(one, subject.shard, at)) };
  }

  @Post('subjects/:id/restriction-orders')
  @HttpCode(200)
  @Allow('restrictions.order')
  async order(
    @Param('id') id: string,
    @Headers('idempotency-key') key: unknown,
    @Body() body: unknown,
    @Staff() member: StaffMember,
  ): Promise<OrderView> {
    const subject = parseId('sub', id);
    const wish = { order: parseStaffOrder(body, subject), by: member.id, key: parseIdempotencyKey(key) };
    const { request } = await this.restrictions.order(subject, wish);
    return (await this.named([request]))[0]!;
  }

  @Post('subjects/:id/restriction-orders/:orderId/decision')
  @HttpCode(200)
  @Allow('restrictions.order')
  async decide(
    @Param('id') id: string,
    @Param('orderId') orderId: string,
    @Body() body: unknown,
    @Staff() member: StaffMember,
  ): Promise<OrderView> {
    const { approve } = parseInput(WORD, body);
    const request = await this.restrictions.decide(parseId('sub', id), parseId('rso', orderId).uuid, approve, member.id);
    return (await this.named([request]))[0]!;
  }

  private async named(orders: readonly OrderRequest[]): Promise<OrderView[]> {
    const people = await this.names.find(orders.flatMap(({ by, decidedBy }) => (decidedBy === undefined ? [by] : [by, decidedBy])));
    return orders.map((order) => {
      const view = showOrder(order);
      const decidedBy = view.decidedBy === undefined ? {} : { decidedBy: people.get(view.decidedBy) ?? view.decidedBy };
      return { ...view, by: people.get(view.by) ?? view.by, ...decidedBy };
    });
  }
}

function shown(history: RestrictionHistory, ...rest: [Parameters<typeof showHistory>[1], Date]) {
  return { ...showHistory(history, ...rest), banksTold: history.restriction.told.length };
}

function withoutSubject({ subject: _, ...rest }: ReturnType<typeof showRetraction>): RetractionView {
  return rest;
}
