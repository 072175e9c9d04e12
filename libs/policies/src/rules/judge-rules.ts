import type { DecisionMode, DecisionReason, Outcome } from '#contract';
import type { Money } from '#kernel';
import type { Restriction, Standing } from '#standing';
import type { LocalClock, LocalHour } from '../local-hour.js';
import { type Calendar, LIFETIME } from '../window.js';
import type { Rule, RuleReads } from './rule.js';
import { MomentView, MoneyView, RequestView, type RuleContext, SubjectView } from './rule-language.js';

/** The rules of one service, in the order of the document, what any of them looks at, and whose time they go by. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly reads: RuleReads;
  readonly calendar: Calendar;
  readonly clock: LocalClock;
  readonly onFailure: OnRuleFailure | undefined;
}

/** Hears of a rule without a value in a case that was judged: the rule's id, and why in CEL's words, such as `division_by_zero`. */
export type OnRuleFailure = (rule: string, why: string) => void;

export interface RuleCase {
  readonly standing: Standing;
  readonly tier: string;
  readonly active: readonly Restriction[];
  readonly request: {
    readonly service: string;
    readonly money: Money;
    readonly counterparty?: string | undefined;
    readonly channel?: string | undefined;
    readonly mode?: DecisionMode | undefined;
  };
}

export interface RuleFinding extends DecisionReason {
  readonly says: Outcome;
}

export interface RuleVerdict {
  readonly findings: readonly RuleFinding[];
  /** The findings hold in [from, until). */
  readonly from: Date;
  readonly until: Date;
}

export function ruleSet(rules: readonly Rule[], more: Pick<RuleSet, 'calendar' | 'clock' | 'onFailure'>): RuleSet {
  const isRead = (name: keyof RuleReads) => rules.some(({ reads }) => reads[name]);
  return { rules, reads: { hour: isRead('hour'), day: isRead('day') }, ...more };
}

const ALWAYS: Omit<RuleVerdict, 'findings'> = { from: LIFETIME.start, until: LIFETIME.end };

/** What the rules of a service say. A rule that has no value fails closed: DENY, `rule.failed`, and it is named. */
export function judgeRules(set: RuleSet, known: RuleCase, at: Date): RuleVerdict {
  const { reads, calendar, clock } = set;
  if (!reads.hour && !reads.day) return { findings: findingsOf(set, contextOf(known, NO_MOMENT)), ...ALWAYS };
  const hour = clock.hourAt(at);
  const findings = findingsOf(set, contextOf(known, momentOf(hour)));
  const { start, end } = reads.hour ? hour : calendar.windowAt('DAY', at);
  return { findings, from: start, until: end };
}

/** Where no rule looks at the time. */
const NO_MOMENT = new MomentView({ year: 1970, month: 1, day: 1, hour: 0, weekday: 4 });

/** The clock keeps an hour while it lasts, and with it what rules see of it. */
const MOMENTS = new WeakMap<LocalHour, MomentView>();

function momentOf(hour: LocalHour): MomentView {
  const known = MOMENTS.get(hour);
  if (known) return known;
  const moment = new MomentView(hour);
  MOMENTS.set(hour, moment);
  return moment;
}

function contextOf({ standing, tier, active, request }: RuleCase, at: MomentView): RuleContext {
  const codes = active.length === 0 ? NONE : active.map(({ reason }) => reason.code);
  return {
    subject: new SubjectView(standing.kind, BigInt(standing.score.value), tier, codes),
    request: new RequestView(request, new MoneyView(request.money.minor)),
    at,
  };
}

const NONE: readonly string[] = [];

function findingsOf({ rules, onFailure }: RuleSet, context: RuleContext): RuleFinding[] {
  const findings: RuleFinding[] = [];
  for (const rule of rules) {
    const finding = findingOf(rule, context, onFailure);
    if (finding) findings.push(finding);
  }
  return findings;
}

function findingOf(rule: Rule, context: RuleContext, onFailure: OnRuleFailure | undefined): RuleFinding | undefined {
  const source = `rule ${rule.id}`;
  try {
    return rule.applies(context) ? { says: rule.says, code: rule.reason.code, text: rule.reason.text, source } : undefined;
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    onFailure?.(rule.id, why ?? 'not_judged');
    const text = `the rule has no value here: ${why?.replaceAll('_', ' ') ?? 'it could not be judged'}`;
    return { says: 'DENY', code: 'rule.failed', text, source };
  }
}
