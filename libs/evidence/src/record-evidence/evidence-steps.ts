import { Refusal } from '#kernel';
import { FactPending } from './proven-fact.js';

const EVIDENCE_STEPS = ['form', 'signature', 'sealed', 'receipt', 'commitment', 'inclusion', 'key', 'certificate', 'revocation'] as const;
export type EvidenceStepName = (typeof EVIDENCE_STEPS)[number];

/**
 * The verdict on one step. `detail` says what was shown, or why it failed; `pending`: a fact it needs is not sealed yet; `not shown`: there is nothing
 * in the evidence to show it by, which refutes nothing.
 */
export interface EvidenceStep {
  readonly step: EvidenceStepName;
  readonly result: 'passed' | 'failed' | 'pending' | 'not reached' | 'not shown';
  readonly code?: string;
  readonly detail?: string;
}

export interface EvidenceReport {
  /** Every step passed that the evidence has something to show by. */
  readonly verified: boolean;
  readonly steps: readonly EvidenceStep[];
}

class Stopped extends Error {}

/** Takes the steps in order; the first that does not pass stops the rest. */
export class EvidenceSteps {
  private readonly taken: EvidenceStep[] = [];

  async take<T>(step: EvidenceStepName, work: () => Promise<readonly [found: T, detail: string]>): Promise<T> {
    try {
      const [found, detail] = await work();
      this.taken.push({ step, result: 'passed', detail });
      return found;
    } catch (error) {
      if (error instanceof FactPending) this.taken.push({ step, result: 'pending', code: 'evidence.pending', detail: error.message });
      else if (error instanceof Refusal) this.taken.push({ step, result: 'failed', code: error.code, detail: error.detail });
      else throw error;
      throw new Stopped();
    }
  }

  /** A step that this evidence cannot take. */
  leaveOut(step: EvidenceStepName, detail: string): void {
    this.taken.push({ step, result: 'not shown', detail });
  }

  async report(work: (steps: this) => Promise<void>): Promise<EvidenceReport> {
    try {
      await work(this);
      return { verified: true, steps: this.taken };
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      const rest = EVIDENCE_STEPS.slice(EVIDENCE_STEPS.indexOf(this.taken.at(-1)!.step) + 1);
      return { verified: false, steps: [...this.taken, ...rest.map((step) => ({ step, result: 'not reached' as const }))] };
    }
  }
}
