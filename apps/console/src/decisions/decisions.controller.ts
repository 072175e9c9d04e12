import { Controller, Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import type { Clock } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { StaffDoor, type StaffMember } from '#staff';
import { PgDecisionList } from '../adapters/pg-decision-list.js';
import type { DecisionRow, Page, TraceView } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';
import { Tracer } from '../trace/tracer.js';

const LIST = z.strictObject({
  outcome: z.enum(['ALLOW', 'DENY', 'REVIEW']).optional(),
  service: z.string().max(60).optional(),
  before: z.string().max(500).optional(),
});
const TRACE = z.strictObject({ id: z.string().min(1).max(100) });

/** Decisions and traces are about people: every look is a fact, saved before the answer leaves. */
@Controller('api')
export class DecisionsController {
  constructor(
    @Inject(PgDecisionList) private readonly list: PgDecisionList,
    @Inject(Tracer) private readonly tracer: Tracer,
    @Inject(StaffDoor) private readonly staff: StaffDoor,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('decisions')
  @Allow('decisions.read')
  async decisions(@Query() query: unknown, @Staff() member: StaffMember): Promise<Page<DecisionRow>> {
    const { before, ...filter } = parseInput(LIST, query);
    const page = await this.list.page(filter, before);
    await this.staff.noteViews(member, [{ what: 'decisions.list', rows: page.rows.length }]);
    return page;
  }

  @Get('trace')
  @Allow('decisions.read')
  async trace(@Query() query: unknown, @Staff() member: StaffMember): Promise<TraceView> {
    const { view, look } = await this.tracer.trace(parseInput(TRACE, query).id, this.clock.now());
    await this.staff.noteViews(member, [look]);
    return view;
  }
}
