import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { DecisionAnswer } from '#contract';
import type { Change } from './changes.js';
import type { Dice } from './dice.js';
import { type Ask, type Door, Final, type StepKind } from './doors.js';

/** What callers were told, which is what the ledger must be able to show afterwards. */
export interface Journal {
  readonly decisions: { readonly key: string; readonly ask: Ask; readonly answer: DecisionAnswer; readonly askedMs: number }[];
  readonly steps: { readonly kind: StepKind; readonly reservation: string; readonly amount: string | undefined; readonly key: string }[];
  /** Acknowledged changes of policy and standings, in order. */
  readonly changes: Change[];
  /** Attempts that ended without an answer and were made again. */
  repeated: number;
  /** Final answers other than 200, by code. */
  readonly refused: Map<string, number>;
}

export const newJournal = (): Journal => ({ decisions: [], steps: [], changes: [], repeated: 0, refused: new Map() });

export interface Traffic {
  readonly dice: Dice;
  readonly doors: readonly Door[];
  readonly subjects: readonly string[];
  readonly journal: Journal;
  readonly callers: number;
  /** Decisions of each caller. */
  readonly rounds: number;
  /** Without: no fate waits for a hold to run out (where the ledger's time is held still). */
  readonly expiries?: boolean;
  /** What becomes of a hold, one of these by chance; without: any. */
  readonly fates?: readonly FateName[];
}

const patienceMs = 60_000;

/** Concurrent callers that never give up and never change what they send; each decision then has one of the fates below. */
export async function runTraffic(traffic: Traffic): Promise<void> {
  await Promise.all(
    Array.from({ length: traffic.callers }, async () => {
      for (let round = 0; round < traffic.rounds; round++) await spendOnce(traffic);
    }),
  );
}

type Held = NonNullable<DecisionAnswer['reservation']>;
type Fate = (traffic: Traffic, reservation: Held, ask: Ask) => Promise<unknown>;

const FATES = {
  leave: () => Promise.resolve(),
  confirm: (traffic: Traffic, { id }: Held) => step(traffic, 'confirm', id),
  confirmTwice: (traffic: Traffic, { id }: Held) => Promise.all([step(traffic, 'confirm', id), step(traffic, 'confirm', id)]),
  release: (traffic: Traffic, { id }: Held) => step(traffic, 'release', id),
  conflict: (traffic: Traffic, { id }: Held) => Promise.all([step(traffic, 'confirm', id), step(traffic, 'release', id)]),
  refund: async (traffic: Traffic, { id }: Held, { amount }: Ask) => {
    const part = (Number(amount) / 2).toFixed(2);
    await step(traffic, 'confirm', id);
    const key = randomUUID();
    await Promise.all([step(traffic, 'refund', id, part, key), step(traffic, 'refund', id, part, key), step(traffic, 'refund', id)]);
  },
} satisfies Record<string, Fate>;

type FateName = keyof typeof FATES;
const FATE_NAMES = Object.keys(FATES) as FateName[];

/** Holds of one second, ended within milliseconds of running out, on either side. */
const atTheEnd: Fate = async (traffic, reservation) => {
  const { id, expiresAt } = reservation;
  await delay(Math.max(0, Date.parse(expiresAt) - Date.now() + traffic.dice.int(-12, 4)));
  await (traffic.dice.chance(0.3) ? FATES.conflict(traffic, reservation) : step(traffic, 'confirm', id));
};

async function spendOnce(traffic: Traffic): Promise<void> {
  const { dice, journal } = traffic;
  const expiring = traffic.expiries !== false && dice.chance(0.2);
  const ask: Ask = {
    subject: dice.pick(traffic.subjects),
    service: dice.chance(0.7) ? 'checkout' : 'transfer',
    amount: `${dice.int(2, 180)}.${dice.int(10, 99)}`,
    holdSeconds: expiring ? 1 : 900,
  };
  const [key, askedMs] = [randomUUID(), performance.now()];
  const fate = expiring ? atTheEnd : FATES[dice.pick(traffic.fates ?? FATE_NAMES)];
  const answers = await Promise.all(
    Array.from({ length: dice.pick([1, 1, 2, 3]) }, async () => {
      const answer = await insist(traffic, (door) => door.decide(ask, key));
      journal.decisions.push({ key, ask, answer, askedMs });
      return answer;
    }),
  );
  const reservation = answers[0]!.reservation;
  if (reservation) await fate(traffic, reservation, ask);
}

async function step(traffic: Traffic, kind: StepKind, reservation: string, amount?: string, key: string = randomUUID()): Promise<void> {
  const { journal } = traffic;
  try {
    await insist(traffic, (door) => door.settle(kind, reservation, amount, key));
    journal.steps.push({ kind, reservation, amount, key });
  } catch (error) {
    if (!(error instanceof Final)) throw error;
    journal.refused.set(error.code, (journal.refused.get(error.code) ?? 0) + 1);
  }
}

/** Tries with the same key, at whichever door, until it is answered. */
export async function insist<T>(
  { dice, doors, journal }: Pick<Traffic, 'dice' | 'doors' | 'journal'>,
  attempt: (door: Door) => Promise<T>,
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return await attempt(dice.pick(doors));
    } catch (error) {
      if (error instanceof Final || performance.now() > end) throw error;
      journal.repeated++;
      await delay(dice.int(5, 60));
    }
  }
}
