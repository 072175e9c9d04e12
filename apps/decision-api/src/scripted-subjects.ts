import { setTimeout as delay } from 'node:timers/promises';
import type { DecisionAnswer, Outcome } from '#contract';
import {
  type Decided,
  type DecisionAsk,
  type DecisionSources,
  inputText,
  keyMissing,
  KeysInFlight,
  keyReused,
  type Reservation,
  type SettlementAsk,
  settleReservation,
} from '#decisions';
import { formatId, parseId, Refusal } from '#kernel';

const scriptedAnswersMax = 10_000;
const scriptedDelayMs = 3_000;

interface Script {
  readonly subject: string;
  readonly outcome: Outcome;
  readonly says: string;
  readonly delayMs?: number;
  readonly unavailable?: true;
}

/** Well-known subjects for testers, as payment sandboxes have test cards. They are in no database; their answers say what they are. */
export const SCRIPTS: readonly Script[] = [
  { subject: 'sub_0000000000000000000000a110w', outcome: 'ALLOW', says: 'always allows' },
  { subject: 'sub_00000000000000000000000deny', outcome: 'DENY', says: 'always denies' },
  { subject: 'sub_000000000000000000000rev1ew', outcome: 'REVIEW', says: 'always asks for a review' },
  { subject: 'sub_00000000000000000000000s10w', outcome: 'ALLOW', says: 'allows after three seconds', delayMs: scriptedDelayMs },
  { subject: 'sub_00000000000000000000000d0wn', outcome: 'DENY', says: 'is never available', unavailable: true },
];

interface Memory {
  readonly input: string;
  readonly answer: DecisionAnswer;
}

export interface Deciding {
  decide(ask: DecisionAsk): Promise<Decided>;
}

export interface Settling {
  settle(ask: SettlementAsk): Promise<{ readonly reservation: Reservation; readonly replayed: boolean }>;
}

/**
 * Answers for scripted subjects from memory and lets everything else pass. What is promised holds here too: a key has one answer, a
 * reservation one end. A process that ends forgets it. Never in production: the configuration refuses.
 */
export class ScriptedSubjects implements Deciding, Settling {
  private readonly scripts = new Map(SCRIPTS.map((script) => [parseId('sub', script.subject).uuid, script]));
  private readonly answers = new Map<string, Memory>();
  private readonly keys = new KeysInFlight<Decided>();
  private readonly reservations = new Map<string, Reservation>();
  private readonly refunds = new Map<string, bigint>();

  constructor(
    private readonly decider: Deciding,
    private readonly settler: Settling,
    private readonly sources: DecisionSources,
  ) {}

  /** Refuses 503 `scripted.unavailable` for the subject that is never there, and of keys what `Decider` refuses. */
  decide(ask: DecisionAsk): Promise<Decided> {
    const script = this.scripts.get(ask.request.subject.uuid);
    return script ? this.play(script, ask) : this.decider.decide(ask);
  }

  private async play(script: Script, ask: DecisionAsk): Promise<Decided> {
    if (ask.request.mode === 'RESERVE' && ask.key === undefined) throw keyMissing();
    if (script.unavailable)
      throw new Refusal('unavailable', 'scripted.unavailable', `this subject ${script.says}`, { retryAfterSeconds: 1 });
    if (ask.request.mode === 'EVALUATE') return await this.answerAnew(script, ask);
    const [name, input] = [`${ask.caller}\n${ask.request.subject.uuid}\n${ask.key}`, inputText(ask.request)];
    const known = this.answers.get(name);
    if (known && known.input !== input) throw keyReused();
    if (known) return { answer: known.answer, replayed: true };
    return await this.keys.run(name, new TextEncoder().encode(input), async () => {
      const decided = await this.answerAnew(script, ask);
      keep(this.answers, name, { input, answer: decided.answer });
      return decided;
    });
  }

  private async answerAnew(script: Script, ask: DecisionAsk): Promise<Decided> {
    await delay(script.delayMs ?? 0);
    return { answer: this.answer(script, ask), replayed: false };
  }

  async settle(ask: SettlementAsk): Promise<{ readonly reservation: Reservation; readonly replayed: boolean }> {
    const known = this.reservations.get(ask.reservation.uuid);
    if (known?.caller !== ask.caller) return await this.settler.settle(ask);
    if (ask.settlement.kind === 'refund') return this.refund(ask, known);
    return this.step(ask, known);
  }

  private refund(ask: SettlementAsk, known: Reservation) {
    if (ask.key === undefined) throw keyMissing();
    const name = `${known.id.uuid} ${ask.key}`;
    const before = this.refunds.get(name);
    if (before === undefined) {
      const settled = this.step(ask, known);
      keep(this.refunds, name, settled.reservation.refundedMinor - known.refundedMinor);
      return settled;
    }
    if (ask.settlement.kind === 'refund' && ask.settlement.money && ask.settlement.money.minor !== before) throw keyReused();
    return { reservation: known, replayed: true };
  }

  private step({ settlement }: SettlementAsk, known: Reservation) {
    const { next, movedMinor } = settleReservation(known, settlement, this.sources.now());
    this.reservations.set(next.id.uuid, next);
    return { reservation: next, replayed: movedMinor === undefined };
  }

  private answer({ outcome, says }: Script, { caller, request }: DecisionAsk): DecisionAnswer {
    const { subject, money, mode, holdSeconds } = request;
    const at = this.sources.now();
    const id = this.sources.newDecisionId(subject, at);
    const expiresAt = new Date(at.getTime() + holdSeconds * 1000);
    const holds = mode === 'RESERVE' && outcome !== 'DENY';
    if (holds) {
      const amounts = { currency: money.currency, amountMinor: money.minor, confirmedMinor: 0n, refundedMinor: 0n };
      keep(this.reservations, id.uuid, { id, subject, caller, state: 'RESERVED', ...amounts, expiresAt });
    }
    return {
      decisionId: formatId('dec', id),
      outcome,
      computedOutcome: outcome,
      reasons: [{ code: `scripted.${outcome.toLowerCase()}`, text: `this subject ${says}`, source: 'scripted subject' }],
      tier: 'SCRIPTED',
      score: { value: outcome === 'DENY' ? 350 : 950, version: 'scripted' },
      policy: { id: 'scripted', version: '0', hash: '0'.repeat(64) },
      limits: [],
      restrictions: [],
      factors: outcome === 'ALLOW' ? undefined : [],
      reservation: holds ? { id: formatId('rsv', id), expiresAt: expiresAt.toISOString() } : undefined,
      decidedAt: at.toISOString(),
    };
  }
}

/** The oldest gives way. */
function keep<T>(memory: Map<string, T>, name: string, value: T): void {
  memory.set(name, value);
  if (memory.size > scriptedAnswersMax) memory.delete(memory.keys().next().value!);
}
