import { formatId, Refusal, type ShardedId } from '#kernel';
import type { CallBudget, CallTerms } from './call-budget.js';
import { changeConsent, type ConsentChange } from './change-consent.js';
import type { Consent } from './consent.js';
import type { Counted, HeldConsents } from './consent-store.js';
import { type ConsentUse, useConsent, type UseWish } from './use-consent.js';

export interface JudgedUses {
  /** One per wish, in order. */
  readonly answers: readonly (ConsentUse | Refusal)[];
  /** The counts to save: each used consent once. */
  readonly counted: readonly Counted[];
  /** Consents whose last use this was: their versions are saved in the same transaction. */
  readonly consumed: readonly ConsentChange[];
}

/** What else must hold of a use that its consent allows; throws the Refusal where it does not, and then nothing is counted. */
export type AllowUse<Wish extends UseWish> = (use: ConsentUse, wish: Wish) => void;

/**
 * Judges many reads of one transaction, one after the other: two under one consent, or under one budget, see each other. `held` are the
 * consents of the wishes, in their order. What a wish is refused for is its answer; the others stand.
 */
export function judgeUses<Wish extends UseWish>(
  wishes: readonly Wish[],
  held: HeldConsents,
  terms: CallTerms,
  allow: AllowUse<Wish> = () => undefined,
): JudgedUses {
  const consents = new Map<string, Consent>();
  const budgets = new Map<string, CallBudget>();
  for (const one of held.consents) {
    if (!one) continue;
    consents.set(nameOf(one.consent.id), one.consent);
    budgets.set(budgetOf(one.consent), one.budget);
  }
  const used = new Set<string>();
  const consumed: ConsentChange[] = [];
  const answers = wishes.map((wish): ConsentUse | Refusal => {
    const name = nameOf(wish.consent);
    const known = consents.get(name);
    const budget = known && budgets.get(budgetOf(known));
    const judged = answerOf(() => {
      const allowed = useConsent(known, wish, { at: held.at, budget, terms });
      allow(allowed.use, wish);
      return allowed;
    });
    if (judged instanceof Refusal) return judged;
    const change = judged.consumed ? changeConsent(judged.next, { kind: 'CONSUME' }, held.at) : undefined;
    if (change) consumed.push(change);
    consents.set(name, change?.consent ?? judged.next);
    budgets.set(budgetOf(judged.next), judged.budget);
    used.add(name);
    return judged.use;
  });
  const counted = [...used].map((name) => {
    const consent = consents.get(name)!;
    return { consent, budget: budgets.get(budgetOf(consent))! };
  });
  return { answers, counted, consumed };
}

function answerOf<T>(judge: () => T): T | Refusal {
  try {
    return judge();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

const nameOf = (id: ShardedId): string => formatId('cns', id);
const budgetOf = ({ subject, participant, terms }: Consent): string => `${subject.uuid} ${participant} ${terms.purpose}`;
