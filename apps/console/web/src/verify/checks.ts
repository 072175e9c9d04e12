import { Refusal } from '#kernel';

/** One step of a verification, in plain words; `code` is stable and says why it failed. */
export interface Check {
  readonly title: string;
  readonly result: 'holds' | 'fails' | 'waits' | 'not shown' | 'not reached';
  readonly code?: string;
  readonly detail?: string;
}

/** What is to be checked: it answers what it found, or refuses. */
export interface PlannedCheck {
  readonly title: string;
  run(): Promise<string>;
}

export interface Verdict {
  /** What the document is, such as `a decision receipt`. */
  readonly what: string;
  readonly checks: readonly Check[];
  /** What it does not show even where all of it holds. */
  readonly beyond?: string;
}

/** Neither shown nor refuted yet: the log has not sealed it. */
export class NotSealedYet extends Error {}

/** Takes the checks in order; the first that does not hold stops the rest. */
export async function runChecks(plan: readonly PlannedCheck[]): Promise<Check[]> {
  const taken: Check[] = [];
  for (const { title, run } of plan) {
    const isStopped = taken.some(({ result }) => result !== 'holds');
    taken.push(isStopped ? { title, result: 'not reached' } : { title, ...(await take(run)) });
  }
  return taken;
}

async function take(run: PlannedCheck['run']): Promise<Omit<Check, 'title'>> {
  try {
    return { result: 'holds', detail: await run() };
  } catch (error) {
    if (error instanceof Refusal) return { result: 'fails', code: error.code, detail: error.detail };
    if (error instanceof NotSealedYet) return { result: 'waits', detail: error.message };
    throw error;
  }
}

/** The whole in one word: what fails weighs more than what waits, and that more than what cannot be shown here. */
export function outcomeOf(checks: readonly Check[]): 'holds' | 'fails' | 'waits' | 'not shown' {
  const worst = (['fails', 'waits', 'not shown'] as const).find((result) => checks.some((check) => check.result === result));
  return worst ?? 'holds';
}
