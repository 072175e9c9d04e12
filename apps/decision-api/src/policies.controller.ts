import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Refusal } from '#kernel';
import { policyJsonSchema } from '#policies';
import { PgPolicies } from '#policies/adapters/pg-policies';
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

  constructor(@Inject(PgPolicies) private readonly policies: PgPolicies) {}

  /** JSON Schema 2020-12 of a policy document. */
  @Get('schema')
  @Scopes()
  findSchema(): object {
    return this.schema;
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
