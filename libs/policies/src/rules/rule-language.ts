import { Environment } from '@marcbachmann/cel-js';
import { parseMoney } from '#kernel';

/** Money as a type of its own: it compares with money only, in integers of the policy's currency. */
export class MoneyView {
  constructor(readonly minor: bigint) {}
}

/** What a rule may know of the subject. */
export class SubjectView {
  constructor(
    readonly kind: string,
    readonly score: bigint,
    readonly tier: string,
    /** Reason codes of the restrictions in force for the service. */
    readonly restrictions: readonly string[],
  ) {}
}

interface AskedFor {
  readonly service: string;
  readonly counterparty?: string | undefined;
  readonly channel?: string | undefined;
  readonly mode?: string | undefined;
}

/** What a rule may know of the request. What was not named is the empty string. */
export class RequestView {
  readonly service: string;
  readonly amount: MoneyView;
  readonly counterparty: string;
  readonly channel: string;
  readonly mode: string;

  constructor({ service, counterparty = '', channel = '', mode = '' }: AskedFor, amount: MoneyView) {
    this.service = service;
    this.amount = amount;
    this.counterparty = counterparty;
    this.channel = channel;
    this.mode = mode;
  }
}

/** When, on the clock of the policy's time zone. Hours are the finest there is, so that an evaluation holds for a while. */
export class MomentView {
  /** YYYY-MM-DD. */
  readonly date: string;
  readonly month: bigint;
  readonly day: bigint;
  readonly hour: bigint;
  /** 1 Monday to 7 Sunday. */
  readonly weekday: bigint;

  constructor({ year, month, day, hour, weekday }: Record<'year' | 'month' | 'day' | 'hour' | 'weekday', number>) {
    const two = (number: number) => String(number).padStart(2, '0');
    this.date = `${year}-${two(month)}-${two(day)}`;
    this.month = BigInt(month);
    this.day = BigInt(day);
    this.hour = BigInt(hour);
    this.weekday = BigInt(weekday);
  }
}

/** The variables of every rule. No clock, no chance, nothing that two runs could see differently. */
export type RuleContext = Readonly<{ subject: SubjectView; request: RequestView; at: MomentView }>;

const ruleNodesMax = 200;
const ruleDepthMax = 24;
const ruleListMax = 100;

const FIELDS = {
  Subject: { ctor: SubjectView, fields: { kind: 'string', score: 'int', tier: 'string', restrictions: 'list<string>' } },
  Request: {
    ctor: RequestView,
    fields: { service: 'string', amount: 'Money', counterparty: 'string', channel: 'string', mode: 'string' },
  },
  Moment: { ctor: MomentView, fields: { date: 'string', month: 'int', day: 'int', hour: 'int', weekday: 'int' } },
} as const;

/** The variables and their fields, for whoever misspells one. */
export const ruleNames = {
  subject: Object.keys(FIELDS.Subject.fields),
  request: Object.keys(FIELDS.Request.fields),
  at: Object.keys(FIELDS.Moment.fields),
};

const COMPARISONS: Readonly<Record<string, (a: MoneyView, b: MoneyView) => boolean>> = {
  '==': (a, b) => a.minor === b.minor,
  '<': (a, b) => a.minor < b.minor,
  '<=': (a, b) => a.minor <= b.minor,
  '>': (a, b) => a.minor > b.minor,
  '>=': (a, b) => a.minor >= b.minor,
};

const LANGUAGES = new Map<string, Environment>();

/** CEL with the types above, `money("199.00")` in this currency, comparison of money, and its sum and difference. */
export function ruleLanguage(currency: string): Environment {
  const language = LANGUAGES.get(currency) ?? makeLanguage(currency);
  LANGUAGES.set(currency, language);
  return language;
}

function makeLanguage(currency: string): Environment {
  const limits = { maxAstNodes: ruleNodesMax, maxDepth: ruleDepthMax, maxListElements: ruleListMax };
  const language = new Environment({ limits }).registerType('Money', { ctor: MoneyView, fields: {} });
  for (const [name, type] of Object.entries(FIELDS)) language.registerType(name, type);
  for (const [operator, compare] of Object.entries(COMPARISONS)) language.registerOperator(`Money ${operator} Money: bool`, compare);
  return language
    .registerOperator('Money + Money: Money', (a: MoneyView, b: MoneyView) => new MoneyView(a.minor + b.minor))
    .registerOperator('Money - Money: Money', (a: MoneyView, b: MoneyView) => new MoneyView(a.minor - b.minor))
    .registerFunction(
      'money(string): Money',
      remembered((amount) => new MoneyView(parseMoney({ amount, currency }).minor)),
    )
    .registerVariable('subject', 'Subject')
    .registerVariable('request', 'Request')
    .registerVariable('at', 'Moment');
}

/** Amounts in rules are literals: each is read once. */
function remembered<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const value = known.get(text) ?? read(text);
    known.set(text, value);
    return value;
  };
}
