import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, StreamableFile } from '@nestjs/common';
import { z } from 'zod';
import { type Export, Exports } from '#audit';
import type { FsBundleFiles } from '#audit/adapters/fs-bundle-files';
import { plainText } from '#contract';
import { type Clock, formatId, parseId, Refusal, shardOf } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { StaffDoor, type StaffMember } from '#staff';
import { PgStaffNames } from '../adapters/pg-staff-names.js';
import type { ExportView } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';
import { BUNDLE_FILES } from '../tokens.js';

const exportsShownMax = 20;

const time = z.iso.datetime('a time is UTC as in RFC 3339');
const REQUEST = z
  .strictObject({ from: time, to: time, kind: plainText(80).optional() })
  .refine(({ from, to }) => from < to, { message: 'the end must be after the start', path: ['to'] });

@Controller('api/exports')
export class ExportsController {
  constructor(
    @Inject(Exports) private readonly exports: Exports,
    @Inject(PgStaffNames) private readonly names: PgStaffNames,
    @Inject(BUNDLE_FILES) private readonly files: FsBundleFiles,
    @Inject(StaffDoor) private readonly staff: StaffDoor,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The worker finds the request in PostgreSQL and runs it. */
  @Post()
  @HttpCode(202)
  @Allow('audit.export')
  async request(@Body() body: unknown, @Staff() member: StaffMember): Promise<ExportView> {
    const { from, to, kind } = parseInput(REQUEST, body);
    const filter = { from, to, ...(kind === undefined ? {} : { kinds: [kind] }) };
    const id = await this.exports.request(filter, member.id, this.clock.now(), randomBytes(10));
    return present(await this.exports.get(id), member.name, null);
  }

  @Get()
  @Allow('audit.export')
  async list(): Promise<{ exports: ExportView[] }> {
    const list = await this.exports.list(exportsShownMax);
    const names = await this.names.find(list.map(({ requestedBy }) => requestedBy));
    return {
      exports: await Promise.all(
        list.map(async (item) => present(item, names.get(item.requestedBy) ?? item.requestedBy, await this.size(item))),
      ),
    };
  }

  /** The finished bundle. Taking it away is told like any other look at it. */
  @Get(':id/bundle')
  @Allow('audit.export')
  async bundle(@Param('id') id: string, @Staff() member: StaffMember): Promise<StreamableFile> {
    const found = await this.exports.get(parseId('exp', id).uuid);
    const length = await this.size(found);
    if (found.file === undefined || length === null) {
      throw new Refusal('conflict', 'export.not_ready', 'this export is not finished, or its file was moved away; look at its state');
    }
    await this.staff.noteViews(member, [{ what: 'export.bundle', rows: Number(found.included) }]);
    const disposition = `attachment; filename="${found.file}"`;
    return new StreamableFile(createReadStream(this.files.path(found.file)), { type: 'application/x-tar', disposition, length });
  }

  private async size({ file }: Export): Promise<number | null> {
    if (file === undefined) return null;
    return stat(this.files.path(file)).then(
      ({ size }) => size,
      () => null,
    );
  }
}

const DAY_MS = 86_400_000;

function present(item: Export, requestedBy: string, bytes: number | null): ExportView {
  const id = formatId('exp', { shard: shardOf(item.id), uuid: item.id });
  return {
    id,
    state: item.state,
    requestedAt: item.requestedAt.toISOString(),
    requestedBy,
    selection: selectionText(item.filter),
    entriesDone: item.plan ? Number(item.nextIndex - item.plan.start) : 0,
    entriesTotal: item.plan ? Number(item.plan.end - item.plan.start) : 0,
    entriesIncluded: Number(item.included),
    bytes,
    failure: item.problem ?? null,
    fileName: item.file ?? `${id}.tar`,
  };
}

/** `2026-11-21` for a whole UTC day, else both ends; then what was picked out. */
function selectionText({ from, to, kinds = [], participant, subject }: Export['filter']): string {
  const picked = [...kinds, ...(participant === undefined ? [] : [participant]), ...(subject === undefined ? [] : ['one subject'])];
  return [spanText(from, to), ...picked].join(' · ');
}

function spanText(from: string | undefined, to: string | undefined): string {
  const minute = (text: string | undefined) => (text === undefined ? '…' : text.slice(0, 16).replace('T', ' '));
  if (from === undefined && to === undefined) return 'everything';
  const wholeDay = from?.endsWith('T00:00:00.000Z') === true && to !== undefined && Date.parse(to) - Date.parse(from) === DAY_MS;
  return wholeDay ? from.slice(0, 10) : `${minute(from)} – ${minute(to)}`;
}
