import { z } from 'zod';

export const rulesMax = 100;
const ruleCharsMax = 2_000;

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/);

export const ruleSchema = z.strictObject({
  id: name,
  services: z.array(name).optional().describe('none named: all'),
  when: z.string().min(1).max(ruleCharsMax).describe('CEL over subject, request and at; see GUIDE.md'),
  then: z.enum(['DENY', 'REVIEW', 'WARN']),
  reason: z.strictObject({
    code: z.string().regex(/^(?=.{1,64}$)[a-z0-9_]+(\.[a-z0-9_]+)*$/),
    text: z.string().min(1).max(200),
  }),
});

export type RuleDocument = z.output<typeof ruleSchema>;
