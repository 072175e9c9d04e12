import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { Refusal } from '#kernel';
import { PolicyLinter } from '#policies/adapters/policy-linter';
import type { LintView } from '../api.js';
import { Allow } from '../auth/session.guard.js';

/** As large as decision-api takes it. */
export const lintBytesMax = 256 * 1024;

/** What is wrong or strange about a document that somebody is writing; nothing of it is kept. */
@Controller('api/policies/lint')
export class LintController {
  private readonly linter = new PolicyLinter();

  @Post()
  @HttpCode(200)
  @Allow('policies.read')
  async lint(@Body() text: unknown): Promise<LintView> {
    // Parsed JSON has lost its lines, and names that stand twice.
    if (typeof text !== 'string') throw new Refusal('unsupported_media', 'policy.text_wanted', 'send the document as text/plain');
    return { findings: await this.linter.lint(text) };
  }
}
