import type { DecisionRow } from '#decisions';
import { formatFactId, formatId, Refusal, type ShardedId } from '#kernel';
import type { View } from '#staff';
import { factOfDecision, type FactRow, type PgFactLog } from '../adapters/pg-fact-log.js';
import { type PgTraceReader, traceRowsMax } from '../adapters/pg-trace-reader.js';
import type { TraceStep, TraceView } from '../api.js';
import { parseSearch, type SearchKey } from './parse-search.js';
import { NO_ROWS, type ReconciliationRow, type RecordRow, type StatementRow, type SubjectRow, type TraceRows } from './trace-rows.js';
import { type BareStep, decisionKey, reconciliationKey, recordKey, reservationKey, traceSteps } from './trace-steps.js';

const SUBJECT_FACTS_MAX = 500;
const FACTS_PER_STEP_MAX = 5;
const STATEMENTS_PROVED_MAX = 5;

/** A row's time is its process's, a fact's time is its shard's: they may differ by this much. */
const CLOCK_SLACK_MS = 60_000;

/** What was found, before it is drawn. */
interface Found {
  readonly understoodAs: string;
  /** The kind of id, for the fact about this look (never its value). */
  readonly what: string;
  readonly subject: ShardedId | undefined;
  readonly focus: string | null;
  readonly rows: TraceRows;
  readonly facts: readonly FactRow[];
}

type Finder<Kind extends SearchKey['kind']> = (key: Extract<SearchKey, { kind: Kind }>) => Promise<Found | undefined>;

/** From any id to the chain it belongs to: record -> score -> decision -> reservation -> statement line. */
export class Tracer {
  constructor(
    private readonly reader: PgTraceReader,
    private readonly log: PgFactLog,
  ) {}

  /** Refuses 400 `search.not_an_id`, `id.malformed` and 404 `trace.unknown`. */
  async trace(pasted: string, at: Date): Promise<{ view: TraceView; look: View }> {
    const key = parseSearch(pasted);
    const found = await (this.finders[key.kind] as Finder<SearchKey['kind']>)(key as never);
    if (!found) throw new Refusal('not_found', 'trace.unknown', 'nothing here bears this id; check that it was copied whole');
    const subject = found.subject && (await this.reader.subject(found.subject));
    const steps = await this.prove(traceSteps(found.rows, at), found);
    const cut = Object.values(found.rows).some((rows: readonly unknown[]) => rows.length >= traceRowsMax);
    const view: TraceView = {
      understoodAs: found.understoodAs,
      focus: found.focus,
      subject: subject ? presentSubject(subject) : null,
      steps,
      cut,
    };
    return { view, look: { what: found.what, subject: found.subject, rows: steps.length } };
  }

  private readonly finders: { readonly [Kind in SearchKey['kind']]: Finder<Kind> } = {
    decision: ({ id }) => this.findDecision(id, 'decision'),
    reservation: ({ id }) => this.findDecision(id, 'reservation'),
    subject: ({ id }) => this.findSubject(id, 'subject'),
    link: async ({ id }) => this.findSubject(await this.reader.subjectOfLink(id), 'link'),
    consent: async ({ id }) => this.findSubject(await this.reader.subjectOf('consents', id), 'consent'),
    dispute: async ({ id }) => this.findSubject(await this.reader.subjectOf('disputes', id), 'dispute'),
    event: async ({ id }) => this.findSubject(await this.reader.subjectOfEvent(id), 'event'),
    reconciliation: ({ id }) => this.findReconciliation(id),
    fact: ({ shard, seq }) => this.findFact(shard, seq),
    uuid: ({ uuid }) => this.findUuid(uuid),
    reference: ({ reference }) => this.findReference(reference),
  };

  /** The chain that led to a decision and what came of it. */
  private async findDecision(id: ShardedId, what: 'decision' | 'reservation'): Promise<Found | undefined> {
    const decision = await this.reader.decision(id);
    if (!decision) return undefined;
    const focus = what === 'decision' ? decisionKey(id.uuid) : reservationKey(id.uuid);
    return { ...(await this.chainOf([decision])), understoodAs: `a ${what}`, what, focus };
  }

  private async chainOf(decisions: readonly DecisionRow[]): Promise<Pick<Found, 'subject' | 'rows' | 'facts'>> {
    const subject = decisions[0]!.subject;
    const versions = (
      await Promise.all(decisions.map(({ standingVersion }) => this.reader.versionsOf(subject, { version: standingVersion })))
    ).flat();
    const restrictionIds = versions.flatMap(({ content }) => content.restrictions.map(({ id }) => id));
    const restrictions = restrictionIds.length === 0 ? [] : await this.reader.restrictionsOf(subject, { ids: restrictionIds });
    const causes = [...versions, ...restrictions].flatMap(({ cause_jti }) => (cause_jti === null ? [] : [cause_jti]));
    const records = causes.length === 0 ? [] : await this.reader.recordsOf(subject, causes);
    const rest = await this.paymentsOf(decisions);
    const facts = [...(await this.factsOf(subject)), ...(await this.factsOfStatements(rest.statements))];
    return { subject, rows: { ...NO_ROWS, records, versions, restrictions, decisions, ...rest }, facts };
  }

  private async paymentsOf(decisions: readonly DecisionRow[]): Promise<Pick<TraceRows, 'reservations' | 'statements'>> {
    const [first] = decisions;
    if (!first) return { reservations: [], statements: [] };
    const reservations = await this.reader.reservations(
      first.decision.shard,
      decisions.map(({ decision }) => decision.uuid),
    );
    const references = reservations.flatMap(({ payment_reference }) => (payment_reference === null ? [] : [payment_reference]));
    const statements = await this.reader.statementsByReferences(references);
    const ours = new Set(reservations.map(({ reservation }) => reservation));
    return { reservations, statements: statements.filter(({ payment }) => payment !== null && ours.has(payment)) };
  }

  private async findSubject(id: ShardedId | undefined, what: string): Promise<Found | undefined> {
    if (!id || !(await this.reader.subject(id))) return undefined;
    const [records, versions, restrictions, decisions, facts] = await Promise.all([
      this.reader.recordsOf(id),
      this.reader.versionsOf(id),
      this.reader.restrictionsOf(id),
      this.reader.decisionsOf(id),
      this.factsOf(id),
    ]);
    const rows = { ...NO_ROWS, records, versions, restrictions, decisions, ...(await this.paymentsOf(decisions)) };
    const article = what === 'event' ? 'an' : 'a';
    return {
      understoodAs: what === 'subject' ? 'a subject' : `${article} ${what} of a subject`,
      what,
      subject: id,
      focus: null,
      rows,
      facts,
    };
  }

  /** A record, what it changed, and the decisions taken under that. */
  private async findRecord(row: RecordRow, subject: ShardedId): Promise<Found> {
    const versions = await this.reader.versionsOf(subject, { causeJti: row.jti });
    const restrictions = await this.reader.restrictionsOf(subject, { causeJti: row.jti });
    const decisions = (await Promise.all(versions.map(({ version }) => this.reader.decisionsOf(subject, version)))).flat();
    const rows = { ...NO_ROWS, records: [row], versions, restrictions, decisions, ...(await this.paymentsOf(decisions)) };
    const facts = await this.factsOf(subject);
    return { understoodAs: 'a credit record', what: 'record', subject, focus: recordKey(row), rows, facts };
  }

  private async findUuid(uuid: string): Promise<Found | undefined> {
    const [record] = await this.reader.recordsByJti(uuid);
    if (record) return this.findRecord(record.row, record.subject);
    const owner = await this.reader.ownerOfUuid(uuid);
    if (owner?.kind === 'decision') return this.findDecision(owner.id, 'decision');
    if (owner?.kind === 'subject') return this.findSubject(owner.id, 'subject');
    return owner ? this.findReconciliation(owner.id) : undefined;
  }

  private async findReference(reference: string): Promise<Found | undefined> {
    const ids = await this.reader.decisionsByReference(reference);
    const decisions = (await Promise.all(ids.map((id) => this.reader.decision(id)))).filter((row) => row !== undefined);
    const [first] = decisions;
    if (!first) return undefined;
    // One reference may serve several services, and then several subjects: the chain is the first one's.
    const chain = await this.chainOf(decisions.filter(({ subject }) => subject.uuid === first.subject.uuid));
    return { ...chain, understoodAs: 'a payment reference', what: 'payment_reference', focus: reservationKey(first.decision.uuid) };
  }

  private async findReconciliation(id: ShardedId): Promise<Found | undefined> {
    const row = await this.reader.reconciliation(id);
    if (!row) return undefined;
    const told = await this.factsOfReconciliation(row);
    const rows = { ...NO_ROWS, reconciliations: [row], statements: await this.reader.breaksOf(id) };
    const focus = reconciliationKey(id.uuid);
    return { understoodAs: 'a statement and its reconciliation', what: 'reconciliation', subject: undefined, focus, rows, facts: told };
  }

  private async findFact(shard: ShardedId['shard'], seq: bigint): Promise<Found | undefined> {
    const fact = await this.log.find(shard, seq);
    if (!fact) return undefined;
    const body = JSON.parse(fact.body) as Record<string, unknown>;
    const name = ['decision', 'reconciliation'].find((field) => typeof body[field] === 'string');
    const owner = name === undefined ? undefined : await this.findNamed(String(body[name]));
    const found = owner ?? (fact.subject === null ? undefined : await this.findSubject({ shard, uuid: fact.subject }, 'fact'));
    if (!found)
      return {
        understoodAs: 'a fact that belongs to no subject',
        what: 'fact',
        subject: undefined,
        focus: null,
        rows: NO_ROWS,
        facts: [fact],
      };
    return { ...found, understoodAs: `fact ${formatFactId(shard, seq)}, ${fact.kind}`, what: 'fact', facts: [...found.facts, fact] };
  }

  /** Bodies name a thing by its bare UUID or by its id. */
  private async findNamed(name: string): Promise<Found | undefined> {
    const key = parseSearch(name);
    return key.kind === 'fact' ? undefined : (this.finders[key.kind] as Finder<SearchKey['kind']>)(key as never);
  }

  private factsOf(subject: ShardedId): Promise<FactRow[]> {
    return this.log.ofSubject(subject, SUBJECT_FACTS_MAX);
  }

  private async factsOfStatements(statements: readonly StatementRow[]): Promise<FactRow[]> {
    const ids = new Map(statements.map(({ shard, reconciliation }) => [reconciliation, { shard, uuid: reconciliation }]));
    const rows = await Promise.all([...ids.values()].slice(0, STATEMENTS_PROVED_MAX).map((id) => this.reader.reconciliation(id)));
    return (await Promise.all(rows.filter((row) => row !== undefined).map((row) => this.factsOfReconciliation(row)))).flat();
  }

  /** Facts about a statement name no subject: they are found by the time between its receipt and its close. */
  private factsOfReconciliation(row: ReconciliationRow): Promise<FactRow[]> {
    const from = new Date(row.received_at.getTime() - CLOCK_SLACK_MS);
    const to = new Date((row.closed_at ?? row.received_at).getTime() + CLOCK_SLACK_MS);
    return this.log.read({ from, to, participant: row.participant, shards: [row.shard] });
  }

  /** Gives every step its facts: by its own number, or because a fact's body names it. */
  private async prove(steps: readonly BareStep[], found: Found): Promise<TraceStep[]> {
    // A subject and a participant may live on one shard: then the same fact was found on both ways.
    const facts = eachOnce([...found.facts, ...found.rows.decisions.map(factOfDecision)]);
    const known = new Set(facts.map(placeOf));
    const missing = steps.flatMap(({ shard, places }) =>
      places.filter((seq) => !known.has(placeOf({ shard, seq }))).map((seq) => this.log.find(shard, seq)),
    );
    const all = [...facts, ...(await Promise.all(missing)).filter((fact) => fact !== undefined)];
    if (steps.length === 0) return (await this.log.present(found.facts)).map(factStep);
    const chosen = steps.map((step) => oldestFirst(all.filter((fact) => proves(fact, step)).slice(0, FACTS_PER_STEP_MAX)));
    const views = await this.log.present(chosen.flat());
    let next = 0;
    return steps.map(({ places: _places, names: _names, shard: _shard, at, ...step }, i) => ({
      ...step,
      at: at.toISOString(),
      facts: views.slice(next, (next += chosen[i]!.length)),
    }));
  }
}

function placeOf({ shard, seq }: Pick<FactRow, 'shard' | 'seq'>): string {
  return `${shard} ${seq}`;
}

function eachOnce(facts: readonly FactRow[]): FactRow[] {
  return [...new Map(facts.map((fact) => [placeOf(fact), fact])).values()];
}

function oldestFirst(facts: readonly FactRow[]): FactRow[] {
  return [...facts].sort((a, b) => a.at.getTime() - b.at.getTime() || Number(a.seq - b.seq));
}

function proves(fact: FactRow, { shard, places, names }: BareStep): boolean {
  return (
    fact.shard === shard && (places.includes(fact.seq) || names.some((name) => fact.body.includes(name) && fact.kind !== 'decision.made'))
  );
}

function factStep(fact: TraceStep['facts'][number]): TraceStep {
  const details = fact.participant === null ? [] : [{ label: 'Participant', value: fact.participant, form: 'text' as const }];
  return { key: fact.id, kind: 'fact', at: fact.at, title: fact.kind, tone: 'plain', badge: null, details, facts: [fact] };
}

function presentSubject({ id, kind, score, version, restrictions }: SubjectRow): NonNullable<TraceView['subject']> {
  return { id: formatId('sub', id), kind, score, standingVersion: version?.toString() ?? null, restrictions };
}
