import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Payment } from './chapter-decision.js';
import type { Narrator } from './narrator.js';
import type { Stage } from './stage.js';

interface Report {
  readonly found: { readonly matrix: readonly { was: string; would: string; count: number }[] };
}

const REVIEW_ABOVE_MINOR = 10_000n;

/** A risk analyst asks what a policy would have changed before anybody approves it: recorded decisions, decided again. */
export async function tryDraft(stage: Stage, narrator: Narrator, payments: readonly Payment[], since: Date): Promise<void> {
  narrator.chapter('A risk analyst tries a draft of the policy on what happened');
  const draft = path.join(stage.scratch, 'draft.json');
  const when = `request.amount > money("${stage.sabotage === 'draft' ? '10000.00' : '100.00'}")`;
  writeFileSync(draft, JSON.stringify(withRule(path.resolve('prisma/seed/policy.json'), when)));
  const linted = await stage.run(['policy', 'lint', draft]);
  narrator.check('the linter finds no error', linted.code === 0, linted.output);
  const tested = await stage.run(['policy', 'backtest', draft, '--from', since.toISOString(), '--json']);
  narrator.check('the back-test is done', tested.code === 0, tested.output);
  const { matrix } = (JSON.parse(tested.output) as Report).found;
  const reviewed = matrix.find(({ was, would }) => was === 'ALLOW' && would === 'REVIEW')?.count ?? 0;
  const large = payments.filter(({ money }) => money.minor > REVIEW_ABOVE_MINOR).length;
  narrator.check('it counts the payments that would have been reviewed', reviewed >= large, matrix);
  narrator.say(`${reviewed} would have been looked at; nothing changed for anybody`);
}

function withRule(file: string, when: string): object {
  const policy = JSON.parse(readFileSync(file, 'utf8')) as { rules?: object[] };
  const reason = { code: 'risk.large', text: 'a large payment' };
  return {
    ...policy,
    version: 2,
    rules: [...(policy.rules ?? []), { id: 'demo-large', services: ['checkout'], when, then: 'REVIEW', reason }],
  };
}
