import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Refusal } from '#kernel';
import { type Finding, policyJsonSchema } from '#policies';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { PolicyLinter } from '#policies/adapters/policy-linter';
import { Scopes } from './auth/caller.js';

/** A policy as it was approved, with the hash of its canonical form (RFC 8785). */
export interface PolicyAnswer {
  readonly id: string;
  readonly version: string;
  readonly hash: string;
  readonly activatedAt: string;
  readonly document: unknown;
}

/** What decides now, and how to write such a document. */
@ApiTags('policies')
@Controller('v1/policies')
export class PoliciesController {
  private readonly schema = policyJsonSchema();

  private readonly linter = new PolicyLinter();

  constructor(@Inject(PgPolicies) private readonly policies: PgPolicies) {}

  /** JSON Schema 2020-12 of a policy document. */
  @Get('schema')
  @Scopes()
  findSchema(): object {
    return this.schema;
  }

  /** Refuses 415 `policy.text_wanted`: parsed JSON has lost its lines, and names that stand twice; and what `PolicyLinter` refuses. */
  @Post('lint')
  @HttpCode(200)
  @Scopes('policies:read')
  @ApiConsumes('text/plain')
  @ApiBody({ schema: { type: 'string', description: 'the document as it is written' } })
  @ApiOperation({ summary: 'What is wrong or strange about a document, with line and column; an error keeps it from being drafted' })
  async lint(@Body() text: unknown): Promise<{ readonly mayBeDrafted: boolean; readonly findings: readonly Finding[] }> {
    if (typeof text !== 'string') {
      const detail = 'send the document as it is written, as text/plain: findings have lines and columns';
      throw new Refusal('unsupported_media', 'policy.text_wanted', detail);
    }
    const findings = await this.linter.lint(text);
    return { mayBeDrafted: findings.every(({ severity }) => severity !== 'error'), findings };
  }

  /** Read from the database: never one that is no longer active. */
  @Get('active')
  @Scopes('decisions:evaluate')
  async findActive(): Promise<PolicyAnswer> {
    const active = await this.policies.findActiveDocument();
    if (!active) throw new Refusal('unavailable', 'policy.none', 'no policy is active yet', { retryAfterSeconds: 1 });
    const { id, version, hash, text, activatedAt } = active;
    return { id, version: String(version), hash, activatedAt: activatedAt!.toISOString(), document: JSON.parse(text) as unknown };
  }
}
