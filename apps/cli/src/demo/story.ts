import { tryDraft } from './chapter-backtest.js';
import { readUnderConsent } from './chapter-consent.js';
import { payAtCheckout } from './chapter-decision.js';
import { disputeViolation } from './chapter-dispute.js';
import { exchangeRecords } from './chapter-records.js';
import { proveTheDay } from './chapter-proof.js';
import { reconcileTheDay } from './chapter-reconciliation.js';
import { reportViolation } from './chapter-violation.js';
import type { Narrator } from './narrator.js';
import type { Stage } from './stage.js';

/** The whole story, in order. Throws `StoryBroken` at the first step that did not do what it says. */
export async function tellStory(stage: Stage, narrator: Narrator): Promise<void> {
  const since = new Date();
  const customer = await exchangeRecords(stage, narrator);
  const payments = await payAtCheckout(stage, narrator, customer);
  await tryDraft(stage, narrator, payments, since);
  const reported = await reportViolation(stage, narrator, customer);
  await readUnderConsent(stage, narrator, customer);
  await disputeViolation(stage, narrator, customer, reported);
  await reconcileTheDay(stage, narrator, payments);
  await proveTheDay(stage, narrator);
  narrator.end();
}
