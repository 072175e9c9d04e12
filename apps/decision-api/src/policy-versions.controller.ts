import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { ShadowAnswer } from '#contract';
import { Shadows, showShadow } from '#decisions';
import { type Clock, Refusal } from '#kernel';
import { CLOCK } from '#platform/adapters/platform.module';
import { PolicyLife, type PolicyVersion } from '#policies';
import { PgPolicyBook } from '#policies/adapters/pg-policy-book';
import { actorOf } from './actor.js';
import { Caller, Scopes, type ServiceCaller } from './auth/caller.js';

/** One version of the policy and how far it has come. Absent: not yet, or not known. */
export interface PolicyVersionAnswer {
  readonly id: string;
  readonly version: string;
  readonly state: string;
  readonly hash: string;
  readonly author: string;
  readonly approver?: string | undefined;
  readonly draftedAt: string;
  readonly shadowedAt?: string | undefined;
  readonly approvedAt?: string | undefined;
  readonly activateAt?: string | undefined;
  readonly activatedAt?: string | undefined;
  readonly retiredAt?: string | undefined;
}

/** Versions of the policy, and their shadows. Drafting, approving and activating is for people, at the command line and in the console. */
@ApiTags('policies')
@Controller('v1/policies/versions')
export class PolicyVersionsController {
  constructor(
    @Inject(PgPolicyBook) private readonly book: PgPolicyBook,
    @Inject(PolicyLife) private readonly life: PolicyLife,
    @Inject(Shadows) private readonly shadows: Shadows,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Scopes('policies:read')
  @ApiOperation({ summary: 'Every version of the policy, the newest first, and how far it has come' })
  async list(): Promise<{ versions: PolicyVersionAnswer[] }> {
    return { versions: (await this.book.list()).map(showVersion) };
  }

  @Post(':version/shadow')
  @HttpCode(200)
  @Scopes('policies:write')
  @ApiOperation({ summary: 'Let a draft decide beside the active version, without effect, until it is approved or retired' })
  async shadow(@Caller() caller: ServiceCaller, @Param('version') version: string): Promise<PolicyVersionAnswer> {
    return showVersion(await this.life.shadow(parseVersion(version), actorOf(caller), this.clock.now()));
  }

  @Get(':version/shadow')
  @Scopes('policies:read')
  @ApiOperation({ summary: 'What a version in shadow would have answered since, while it lasts and ever after' })
  async report(@Param('version') version: string): Promise<ShadowAnswer> {
    return showShadow(await this.shadows.report(parseVersion(version)));
  }
}

function parseVersion(text: string): bigint {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return BigInt(text);
  throw new Refusal('malformed', 'policy.version_malformed', 'a version is a number from 1', { field: 'version' });
}

function showVersion({ id, version, state, hash, author, approver, ...times }: PolicyVersion): PolicyVersionAnswer {
  return {
    id,
    version: String(version),
    state,
    hash,
    author,
    approver,
    draftedAt: times.draftedAt.toISOString(),
    shadowedAt: times.shadowedAt?.toISOString(),
    approvedAt: times.approvedAt?.toISOString(),
    activateAt: times.activateAt?.toISOString(),
    activatedAt: times.activatedAt?.toISOString(),
    retiredAt: times.retiredAt?.toISOString(),
  };
}
