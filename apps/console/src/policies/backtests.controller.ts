import { randomBytes } from 'node:crypto';
import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { ASSUMPTIONS, type Backtest, type BacktestReport, Backtests, BEGINNINGS, showTally } from '#decisions';
import { type Clock, formatId, parseId, shardOf } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { parsePolicy } from '#policies';
import type { StaffMember } from '#staff';
import { PgStaffNames } from '../adapters/pg-staff-names.js';
import type { BacktestReportView, BacktestView } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';

const shownMax = 20;

const time = z.iso.datetime('a time is UTC as in RFC 3339').transform((text) => new Date(text));
const REQUEST = z.strictObject({
  /** Absent: every decision by the version that took it. */
  version: z
    .string()
    .regex(/^[1-9][0-9]{0,14}$/)
    .optional(),
  from: time.optional(),
  to: time.optional(),
  assume: z.enum(ASSUMPTIONS).default('CONFIRMED'),
  begin: z.enum(BEGINNINGS).default('CONTINUE'),
});

@Controller('api/backtests')
export class BacktestsController {
  constructor(
    @Inject(Backtests) private readonly backtests: Backtests,
    @Inject(PgStaffNames) private readonly names: PgStaffNames,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The worker finds the request in PostgreSQL and runs it. */
  @Post()
  @HttpCode(202)
  @Allow('policies.change')
  async request(@Body() body: unknown, @Staff() member: StaffMember): Promise<BacktestView> {
    const { version, from, to, assume, begin } = parseInput(REQUEST, body);
    const policy = version === undefined ? ('RECORDED' as const) : { version: BigInt(version) };
    const asked = await this.backtests.request({ policy, from, to, assume, begin }, member.id, this.clock.now(), randomBytes(10));
    return present(asked, member.name);
  }

  @Get()
  @Allow('policies.read')
  async list(): Promise<{ backtests: BacktestView[] }> {
    const list = await this.backtests.list(shownMax);
    const names = await this.names.find(list.map(({ requestedBy }) => requestedBy));
    return { backtests: list.map((one) => present(one, names.get(one.requestedBy) ?? one.requestedBy)) };
  }

  @Get(':id')
  @Allow('policies.read')
  async report(@Param('id') id: string): Promise<BacktestReportView> {
    const found = await this.backtests.get(parseId('bkt', id).uuid);
    const names = await this.names.find([found.requestedBy]);
    return { backtest: present(found, names.get(found.requestedBy) ?? found.requestedBy), report: presentReport(found) };
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Allow('policies.change')
  async cancel(@Param('id') id: string, @Staff() member: StaffMember): Promise<BacktestView> {
    return present(await this.backtests.cancel(parseId('bkt', id).uuid), member.name);
  }
}

function present(found: Backtest, requestedBy: string): BacktestView {
  const { id, state, requestedAt, progress, problem, finishedAt, policy, from, to, assume, begin } = found;
  const document = policy && parsePolicy(JSON.parse(policy.text));
  return {
    id: formatId('bkt', { shard: shardOf(id), uuid: id }),
    state,
    requestedBy,
    requestedAt: requestedAt.toISOString(),
    failure: problem ?? null,
    assume,
    begin,
    policy: document ? `${document.id} ${document.version}` : 'each decision by its own version',
    from: from?.toISOString() ?? null,
    to: to?.toISOString() ?? null,
    percent: progress.total === 0n ? 0 : Number((100n * progress.done) / progress.total),
    decisions: Number(progress.total),
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

function presentReport({ report }: Backtest): BacktestReportView['report'] {
  if (report === undefined) return null;
  const { found, currency, assumptions, history } = JSON.parse(report) as BacktestReport;
  return { found: showTally(found, currency), assumptions, historyDigest: history.digest };
}
