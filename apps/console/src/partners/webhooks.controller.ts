import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import type { StaffMember } from '#staff';
import { Webhooks } from '#standing';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';

const REASON = z.strictObject({
  reason: z
    .string()
    .trim()
    .min(1, 'say why: it stands in the log')
    .max(200)
    .regex(/^\P{Control}*$/u, 'a line of text'),
});

/** What staff may do to a partner's webhook. Whoever is signed in is who did it. */
@Controller('api/partners/:id/webhook')
export class WebhooksController {
  constructor(@Inject(Webhooks) private readonly webhooks: Webhooks) {}

  @Post('pause')
  @HttpCode(200)
  @Allow('partners.change')
  async pause(@Param('id') id: string, @Body() body: unknown, @Staff() { id: by }: StaffMember): Promise<{ id: string }> {
    await this.webhooks.pause(id, parseInput(REASON, body).reason, by);
    return { id };
  }

  @Post('resume')
  @HttpCode(200)
  @Allow('partners.change')
  async resume(@Param('id') id: string, @Staff() { id: by }: StaffMember): Promise<{ id: string }> {
    await this.webhooks.resume(id, by);
    return { id };
  }

  /** All dead letters of the partner. */
  @Post('resend')
  @HttpCode(200)
  @Allow('partners.change')
  async resend(@Param('id') id: string, @Staff() { id: by }: StaffMember): Promise<{ resent: number }> {
    return { resent: await this.webhooks.resend(id, undefined, by) };
  }
}
