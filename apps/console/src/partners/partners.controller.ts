import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import type { Clock } from '#kernel';
import { type Participant, Participants } from '#partners';
import { CLOCK } from '#platform/adapters/platform.module';
import type { StaffMember } from '#staff';
import { PgPartnerList } from '../adapters/pg-partner-list.js';
import { PgStaffNames } from '../adapters/pg-staff-names.js';
import type { PartnerView } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';

const reason = z
  .string()
  .trim()
  .min(1, 'say why: it stands in the log')
  .max(200)
  .regex(/^\P{Control}*$/u, 'a line of text');
const REASON = z.strictObject({ reason });
const SUSPENSION = z.strictObject({ reason, from: z.iso.datetime({ offset: true, error: 'a time is UTC as in RFC 3339' }).optional() });

/** Partners, and what staff may do to their state. Whoever is signed in is who did it; the partner's connections follow within seconds. */
@Controller('api/partners')
export class PartnersController {
  constructor(
    @Inject(PgPartnerList) private readonly partners: PgPartnerList,
    @Inject(PgStaffNames) private readonly names: PgStaffNames,
    @Inject(Participants) private readonly participants: Participants,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** `at` is the server's time: what is said about expiry must not depend on the reader's clock. */
  @Get()
  @Allow('partners.read')
  async list(@Staff() member: StaffMember): Promise<{ at: string; partners: PartnerView[] }> {
    const listed = await this.partners.read();
    const names = await this.names.find(listed.flatMap(({ closing }) => closing?.by ?? []));
    const partners = listed.map((partner) => {
      const { closing } = partner;
      return { ...partner, closing: closing && { ...closing, by: names.get(closing.by) ?? closing.by, byMe: closing.by === member.id } };
    });
    return { at: this.clock.now().toISOString(), partners };
  }

  @Post(':id/suspension')
  @HttpCode(200)
  @Allow('partners.change')
  async suspend(@Param('id') id: string, @Body() body: unknown, @Staff() { id: by }: StaffMember): Promise<StateView> {
    const { reason: why, from } = parseInput(SUSPENSION, body);
    if (from === undefined) return stateOf(await this.participants.suspend(id, why, by));
    return stateOf(await this.participants.scheduleSuspension(id, new Date(from), why, by));
  }

  @Post(':id/suspension/cancel')
  @HttpCode(200)
  @Allow('partners.change')
  async cancel(@Param('id') id: string, @Staff() { id: by }: StaffMember): Promise<StateView> {
    return stateOf(await this.participants.cancelSuspension(id, by));
  }

  /** Lifts a suspension, and lets a newcomer begin. */
  @Post(':id/activation')
  @HttpCode(200)
  @Allow('partners.change')
  async activate(@Param('id') id: string, @Body() body: unknown, @Staff() { id: by }: StaffMember): Promise<StateView> {
    return stateOf(await this.participants.activate(id, parseInput(REASON, body).reason, by));
  }

  @Post(':id/closing')
  @HttpCode(200)
  @Allow('partners.change')
  async proposeClosing(@Param('id') id: string, @Body() body: unknown, @Staff() { id: by }: StaffMember): Promise<StateView> {
    return stateOf(await this.participants.proposeClosing(id, parseInput(REASON, body).reason, by));
  }

  /** The second person; refused to the first one. */
  @Post(':id/closing/confirm')
  @HttpCode(200)
  @Allow('partners.change')
  async confirmClosing(@Param('id') id: string, @Staff() { id: by }: StaffMember): Promise<StateView> {
    return stateOf(await this.participants.confirmClosing(id, by));
  }

  @Post(':id/closing/withdraw')
  @HttpCode(200)
  @Allow('partners.change')
  async withdrawClosing(@Param('id') id: string, @Staff() { id: by }: StaffMember): Promise<StateView> {
    return stateOf(await this.participants.withdrawClosing(id, by));
  }
}

interface StateView {
  readonly id: string;
  readonly state: string;
}

const stateOf = ({ id, state }: Participant): StateView => ({ id, state });
