import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { type Clock, formatId, parseId, Refusal } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import type { Reconciliation, ReconciliationState } from '#reconciliation';
import { PgReconciliationReader } from '#reconciliation/adapters/pg-reconciliation-reader';
import { StaffDoor, type StaffMember } from '#staff';
import type { BreakPageView, RunFileView, RunFilter, RunPageView } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';
import { viewBreak, viewFile, viewRun } from './run-views.js';

const pageRows = 50;

const STATES: Readonly<Record<RunFilter, readonly ReconciliationState[]>> = {
  UNDER_WAY: ['RECEIVED', 'PARSED', 'MATCHING'],
  BROKEN: ['BROKEN'],
  BALANCED: ['BALANCED'],
};
const LIST = z.strictObject({
  state: z.enum(['UNDER_WAY', 'BROKEN', 'BALANCED']).optional(),
  participant: z.string().max(60).optional(),
  before: z.uuid().optional(),
});
const AFTER = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9]{1,9}$/)
    .default('0'),
});

/** Statement files and what became of them. A file names no subject; its breaks are payments of people, and a look at them is a fact. */
@Controller('api/reconciliations')
export class ReconciliationsController {
  constructor(
    @Inject(PgReconciliationReader) private readonly reader: PgReconciliationReader,
    @Inject(StaffDoor) private readonly staff: StaffDoor,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Allow('reconciliations.read')
  async list(@Query() query: unknown): Promise<RunPageView> {
    const { state, participant, before } = parseInput(LIST, query);
    const filter = { participant, states: state && STATES[state] };
    const found = await this.reader.newest(filter, before, pageRows + 1);
    const rows = found.slice(0, pageRows);
    const next = found.length > pageRows ? rows.at(-1)!.id.uuid : null;
    return { at: this.clock.now().toISOString(), rows: rows.map(viewRun), next };
  }

  @Get(':id')
  @Allow('reconciliations.read')
  async find(@Param('id') id: string): Promise<RunFileView> {
    return { at: this.clock.now().toISOString(), ...viewFile(await this.get(id)) };
  }

  /** What disagrees, in the order of the file. A payment that was missing may have come with a later statement: then it says with which. */
  @Get(':id/breaks')
  @Allow('decisions.read')
  async breaks(@Param('id') id: string, @Query() query: unknown, @Staff() member: StaffMember): Promise<BreakPageView> {
    const { after } = parseInput(AFTER, query);
    const run = await this.get(id);
    const found = await this.reader.outcomes(run.id, 'breaks', Number(after), pageRows + 1);
    const rows = found.slice(0, pageRows);
    const missing = rows.flatMap(({ kind, payment }) => (kind === 'MISSING_THEIRS' && payment ? [payment.reservation.uuid] : []));
    const foundSince = await this.reader.takenPayments(run.id, missing);
    await this.staff.noteViews(member, [{ what: 'reconciliations.breaks', rows: rows.length }]);
    const foundIn = (payment: string | undefined) => {
      const uuid = payment === undefined || !missing.includes(payment) ? undefined : foundSince.get(payment);
      return uuid === undefined ? null : formatId('rec', { shard: run.id.shard, uuid });
    };
    const next = found.length > pageRows ? String(rows.at(-1)!.n) : null;
    return { rows: rows.map((row) => viewBreak(row, foundIn(row.payment?.reservation.uuid))), next };
  }

  private async get(id: string): Promise<Reconciliation> {
    const run = await this.reader.find(parseId('rec', id));
    if (!run) throw new Refusal('not_found', 'reconciliation.unknown', 'there is no reconciliation of this id');
    return run;
  }
}
