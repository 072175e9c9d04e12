import { Controller, Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { parseId, Refusal } from '#kernel';
import { StaffDoor, type StaffMember } from '#staff';
import { PgCheckpoint } from '../adapters/pg-checkpoint.js';
import { PgFactLog } from '../adapters/pg-fact-log.js';
import type { CheckpointView, FactView, Page } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';
import { parseSearch } from '../trace/parse-search.js';

const time = z.iso.datetime('a time is UTC as in RFC 3339').transform((text) => new Date(text));

const SEARCH = z.strictObject({
  id: z.string().max(40).optional(),
  kind: z.string().max(80).optional(),
  subject: z.string().max(40).optional(),
  participant: z.string().max(40).optional(),
  from: time.optional(),
  to: time.optional(),
  before: z.string().max(500).optional(),
});

@Controller('api')
export class FactsController {
  constructor(
    @Inject(PgFactLog) private readonly log: PgFactLog,
    @Inject(PgCheckpoint) private readonly checkpoints: PgCheckpoint,
    @Inject(StaffDoor) private readonly staff: StaffDoor,
  ) {}

  /** Facts hold no personal data; a search for one subject's is a look at that subject all the same. */
  @Get('facts')
  @Allow('audit.read')
  async facts(@Query() query: unknown, @Staff() member: StaffMember): Promise<Page<FactView>> {
    const { id, before, subject: name, ...filter } = parseInput(SEARCH, query);
    if (id !== undefined) return { rows: await this.one(id), next: null };
    const subject = name === undefined ? undefined : parseId('sub', name);
    const page = await this.log.search({ ...filter, subject }, before);
    if (subject) await this.staff.noteViews(member, [{ what: 'facts.subject', subject, rows: page.rows.length }]);
    return page;
  }

  @Get('checkpoint')
  @Allow('audit.read')
  async checkpoint(): Promise<{ checkpoint: CheckpointView | null }> {
    return { checkpoint: (await this.checkpoints.last()) ?? null };
  }

  private async one(id: string): Promise<FactView[]> {
    const key = parseSearch(id);
    if (key.kind !== 'fact') throw new Refusal('malformed', 'id.malformed', 'expected an id of the form fct_…', { field: 'id' });
    const fact = await this.log.find(key.shard, key.seq);
    return fact ? this.log.present([fact]) : [];
  }
}
