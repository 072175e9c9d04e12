import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { type Clock, Refusal } from '#kernel';
import { type ShadowStanding, SHADOW_NOTES, Shadows, showTally } from '#decisions';
import { CLOCK } from '#platform/adapters/platform.module';
import { PolicyLife, type PolicyVersion } from '#policies';
import { PgPolicyBook } from '#policies/adapters/pg-policy-book';
import type { StaffMember } from '#staff';
import type { PolicyView, ShadowView } from '../api.js';
import { Allow, Staff } from '../auth/session.guard.js';
import { parseInput } from '../parse-input.js';

const ACTIVATION = z.strictObject({
  at: z.iso
    .datetime('a time is UTC as in RFC 3339')
    .transform((text) => new Date(text))
    .optional(),
});

/** Versions of the policy, and the steps that people take with them here; drafting stays with files and the command line. */
@Controller('api/policies')
export class PoliciesController {
  constructor(
    @Inject(PgPolicyBook) private readonly book: PgPolicyBook,
    @Inject(PolicyLife) private readonly life: PolicyLife,
    @Inject(Shadows) private readonly shadows: Shadows,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Allow('policies.read')
  async list(): Promise<{ policies: PolicyView[] }> {
    return { policies: (await this.book.list()).map(present) };
  }

  @Post(':version/shadow')
  @HttpCode(200)
  @Allow('policies.change')
  async shadow(@Param('version') version: string, @Staff() member: StaffMember): Promise<PolicyView> {
    return present(await this.life.shadow(parseVersion(version), member.name, this.clock.now()));
  }

  /** The second pair of eyes is whoever is signed in. */
  @Post(':version/approve')
  @HttpCode(200)
  @Allow('policies.change')
  async approve(@Param('version') version: string, @Staff() member: StaffMember): Promise<PolicyView> {
    return present(await this.life.approve(parseVersion(version), member.name, this.clock.now()));
  }

  /** At once, or from `at`. */
  @Post(':version/activate')
  @HttpCode(200)
  @Allow('policies.change')
  async activate(@Param('version') version: string, @Body() body: unknown, @Staff() member: StaffMember): Promise<PolicyView> {
    const { at } = parseInput(ACTIVATION, body ?? {});
    return present(await this.life.activate(parseVersion(version), member.name, this.clock.now(), at));
  }

  @Post(':version/retire')
  @HttpCode(200)
  @Allow('policies.change')
  async retire(@Param('version') version: string, @Staff() member: StaffMember): Promise<PolicyView> {
    return present(await this.life.retire(parseVersion(version), member.name, this.clock.now()));
  }

  @Get(':version/shadow')
  @Allow('policies.read')
  async report(@Param('version') version: string): Promise<ShadowView> {
    return presentShadow(await this.shadows.report(parseVersion(version)));
  }
}

function parseVersion(text: string): bigint {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return BigInt(text);
  throw new Refusal('malformed', 'policy.version_malformed', 'a version is a number from 1', { field: 'version' });
}

function present(version: PolicyVersion): PolicyView {
  const { id, state, hash, author, approver, shadowedBy, scheduledBy, activatedBy, retiredBy } = version;
  const time = (at: Date | undefined) => at?.toISOString() ?? null;
  return {
    id,
    version: String(version.version),
    state,
    hash,
    author,
    approver: approver ?? null,
    by: { shadowed: shadowedBy ?? null, scheduled: scheduledBy ?? null, activated: activatedBy ?? null, retired: retiredBy ?? null },
    draftedAt: version.draftedAt.toISOString(),
    shadowedAt: time(version.shadowedAt),
    approvedAt: time(version.approvedAt),
    activateAt: time(version.activateAt),
    activatedAt: time(version.activatedAt),
    retiredAt: time(version.retiredAt),
  };
}

function presentShadow({ version, state, since, currency, behind, decided }: ShadowStanding): ShadowView {
  return {
    version: String(version),
    state,
    since: since.toISOString(),
    behind: Number(behind),
    notes: SHADOW_NOTES,
    found: showTally(decided, currency),
  };
}
