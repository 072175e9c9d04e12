import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import type { Consent, ConsentReader } from '#consents';
import { PgConsentReader } from '#consents/adapters/pg-consent-reader';
import { type Clock, formatId, parseId, Refusal } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { StaffDoor, type StaffMember } from '#staff';
import { showHistoryOf, showSubjectConsent, showSubjectUse, unknownConsent } from '#standing';
import type { ConsentUseView, ConsentVersionView, ConsentView, OneConsentView, Page } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';

const rowsPerPage = 50;
const BY_ID = z.strictObject({ after: z.string().max(64).optional() });
const BY_NUMBER = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .optional(),
});

/** What subjects allowed, and who saw what, when, why. Subjects change it through their services alone; every look here is a fact. */
@Controller('api')
export class ConsentsController {
  constructor(
    @Inject(PgConsentReader) private readonly reader: ConsentReader,
    @Inject(StaffDoor) private readonly staff: StaffDoor,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('subjects/:id/consents')
  @Allow('consents.read')
  async ofSubject(@Param('id') id: string, @Query() query: unknown, @Staff() member: StaffMember): Promise<Page<ConsentView>> {
    const { after } = parseInput(BY_ID, query);
    const subject = parseId('sub', id);
    const page = { after: after === undefined ? undefined : parseId('cns', after).uuid, countMax: rowsPerPage };
    const found = known(await this.reader.ofSubject(subject, page));
    await this.staff.noteViews(member, [{ what: 'consents.subject', subject, rows: found.length }]);
    const last = found.length === rowsPerPage ? formatId('cns', found.at(-1)!.id) : null;
    return { rows: found.map((one) => this.shown(one)), next: last };
  }

  @Get('subjects/:id/uses')
  @Allow('consents.read')
  async usesOfSubject(@Param('id') id: string, @Query() query: unknown, @Staff() member: StaffMember): Promise<Page<ConsentUseView>> {
    const { after } = parseInput(BY_NUMBER, query);
    const subject = parseId('sub', id);
    const page = { after: after === undefined ? undefined : BigInt(after), countMax: rowsPerPage };
    const uses = known(await this.reader.usesOfSubject(subject, page));
    await this.staff.noteViews(member, [{ what: 'uses.subject', subject, rows: uses.length }]);
    const last = uses.length === rowsPerPage ? uses.at(-1)!.factSeq.toString() : null;
    return { rows: uses.map((use) => showSubjectUse(use) as unknown as ConsentUseView), next: last };
  }

  /** A consent with the versions it had, in pages. */
  @Get('consents/:id')
  @Allow('consents.read')
  async one(@Param('id') id: string, @Query() query: unknown, @Staff() member: StaffMember): Promise<OneConsentView> {
    const { after } = parseInput(BY_NUMBER, query);
    const consent = await this.get(id);
    const versions = await this.reader.versions(consent.id, { after: numberOf(after), countMax: rowsPerPage });
    await this.staff.noteViews(member, [{ what: 'consents.one', subject: consent.subject, rows: versions.length }]);
    const rows = showHistoryOf(versions) as unknown as ConsentVersionView[];
    return { consent: this.shown(consent), rows, next: rows.length === rowsPerPage ? String(rows.at(-1)!.version) : null };
  }

  @Get('consents/:id/uses')
  @Allow('consents.read')
  async uses(@Param('id') id: string, @Query() query: unknown, @Staff() member: StaffMember): Promise<Page<ConsentUseView>> {
    const { after } = parseInput(BY_NUMBER, query);
    const consent = await this.get(id);
    const uses = await this.reader.usesOf(consent.id, { after: numberOf(after), countMax: rowsPerPage });
    await this.staff.noteViews(member, [{ what: 'consents.uses', subject: consent.subject, rows: uses.length }]);
    const rows = uses.map((use) => showSubjectUse(use) as unknown as ConsentUseView);
    return { rows, next: rows.length === rowsPerPage ? String(rows.at(-1)!.n) : null };
  }

  private async get(id: string): Promise<Consent> {
    const consent = await this.reader.find(parseId('cns', id));
    if (!consent) throw unknownConsent();
    return consent;
  }

  private shown(consent: Consent): ConsentView {
    return showSubjectConsent(consent, this.clock.now()) as unknown as ConsentView;
  }
}

const numberOf = (after: string | undefined): number | undefined => (after === undefined ? undefined : Number(after));

function known<T>(found: T | undefined): T {
  if (found !== undefined) return found;
  throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
}
