import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecisionRow, FactView, OverviewView, Page, PartnerView, TraceView } from '../../../apps/console/src/api.js';
import { type ConsoleClient, signedIn } from './console-client.js';
import { type ConsoleWorld, openConsoleWorld } from './console-world.js';
import { seedStory, seedTraffic, type Story } from './seed-story.js';

describe('what the console shows', () => {
  let world: ConsoleWorld;
  let story: Story;
  let admin: ConsoleClient;
  beforeAll(async () => {
    world = await openConsoleWorld();
    story = await seedStory(world.database, new Date());
    await seedTraffic(world.database, story, new Date(), 120);
    await world.seal();
    admin = await signedIn(world, 'compliance');
  });
  afterAll(() => world.close());

  const trace = async (id: string): Promise<TraceView> => {
    const answer = await admin.get(`/api/trace?id=${encodeURIComponent(id)}`);
    expect([answer.status, answer.text.slice(0, 300)]).toEqual([200, expect.anything()]);
    return answer.body;
  };
  const kinds = (view: TraceView) => view.steps.map(({ kind }) => kind);

  it('follows a payment reference from record to statement line, every step with its sealed fact', async () => {
    const view = await trace(story.paymentReference);
    expect(view.understoodAs).toBe('a payment reference');
    expect(kinds(view)).toEqual(['record', 'score', 'decision', 'reservation', 'statement']);
    expect(view.steps.map(({ badge }) => badge)).toEqual(['rating', 'standing version 2', 'ALLOW', 'CONFIRMED', 'MATCHED']);
    expect(view.steps.find(({ key }) => key === view.focus)?.kind).toBe('reservation');
    const limits = view.steps[2]!.details.find(({ label }) => label === 'Limits');
    expect(limits?.value).toMatch(/^per-transaction \(transaction\): .*\n\S+ \(day\): .* CNY left, anew \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
    expect(view.steps.map(({ facts }) => facts.map(({ kind }) => kind))).toEqual([
      ['record.accepted'],
      ['standing.changed'],
      ['decision.made'],
      ['reservation.confirmed'],
      ['statement.received', 'reconciliation.broken'],
    ]);
    for (const { facts } of view.steps) for (const fact of facts) expect(fact.logIndex).toMatch(/^\d+$/);
    expect(view.subject).toMatchObject({ id: story.subject, score: 541, restrictions: 1 });
  });

  it('explains a refusal by the violation behind it', async () => {
    const view = await trace(story.denied);
    expect(kinds(view)).toEqual(['record', 'score', 'restriction', 'decision']);
    expect(view.steps[0]).toMatchObject({ title: 'Violation reported', tone: 'bad' });
    expect(view.steps[2]!.facts.map(({ kind }) => kind)).toEqual(['restriction.imposed']);
  });

  it.each<[string, (story: Story) => string, string[]]>([
    ['a decision', ({ allowed }) => allowed, ['record', 'score', 'decision', 'reservation', 'statement']],
    ['a reservation', ({ reservation }) => reservation, ['record', 'score', 'decision', 'reservation', 'statement']],
    ['a record', ({ violationJti }) => violationJti, ['record', 'score', 'restriction', 'decision']],
    [
      'a link',
      ({ link }) => link,
      ['record', 'score', 'decision', 'reservation', 'record', 'score', 'restriction', 'decision', 'statement'],
    ],
    [
      'a subject',
      ({ subject }) => subject,
      ['record', 'score', 'decision', 'reservation', 'record', 'score', 'restriction', 'decision', 'statement'],
    ],
    ['a reconciliation', ({ reconciliation }) => reconciliation, ['statement', 'statement']],
  ])('understands %s', async (_, id, steps) => {
    expect(kinds(await trace(id(story)))).toEqual(steps);
  });

  it('understands every fact that it shows, by its own id', async () => {
    const shown = (await trace(story.subject)).steps.flatMap(({ facts }) => facts);
    expect(shown.length).toBeGreaterThan(6);
    for (const { id, kind } of shown) expect([kind, (await trace(id)).steps.length > 0]).toEqual([kind, true]);
  });

  it.each([
    ['ORDER-9999', 404, 'trace.unknown'],
    ['dec_000000000000000000000000000', 404, 'trace.unknown'],
    ['01939a6e-7a00-7abc-8def-000000000001', 404, 'trace.unknown'],
    ["'; DROP TABLE facts; --", 400, 'search.not_an_id'],
    ['x'.repeat(101), 400, 'request.malformed'],
  ])('says that %s is nothing', async (id, status, code) => {
    const answer = await admin.get(`/api/trace?id=${encodeURIComponent(id)}`);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('tells the log who looked at whose data, and never what was typed', async () => {
    await trace(story.paymentReference);
    const [fact] = await world.database.query<{ subject: string; body: string }>(
      `SELECT subject, body FROM facts WHERE kind = 'staff.viewed' AND body LIKE '%payment_reference%' ORDER BY at DESC LIMIT 1`,
    );
    expect(JSON.parse(fact!.body)).toEqual({ staff: expect.any(String), role: 'compliance', what: 'payment_reference', rows: 5 });
    expect(fact!.subject).toBeTruthy();
    const all = await world.database.query<{ body: string }>(`SELECT body FROM facts WHERE kind LIKE 'staff.%'`);
    expect(JSON.stringify(all)).not.toContain(story.paymentReference);
  });

  it('pages through the decisions, newest first, each once', async () => {
    const seen: DecisionRow[] = [];
    let before: string | null = '';
    for (let pages = 0; before !== null && pages < 10; pages++) {
      const page: Page<DecisionRow> = (await admin.get(`/api/decisions${before ? `?before=${before}` : ''}`)).body;
      seen.push(...page.rows);
      before = page.next;
    }
    expect(seen).toHaveLength(122);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(122);
    expect(seen.map(({ at }) => at)).toEqual(
      seen
        .map(({ at }) => at)
        .sort()
        .reverse(),
    );
    const denied: Page<DecisionRow> = (await admin.get('/api/decisions?outcome=DENY&service=checkout')).body;
    expect(denied.rows.length).toBe(seen.filter(({ outcome }) => outcome === 'DENY').length);
    expect((await admin.get('/api/decisions?service=unknown')).body).toEqual({ rows: [], next: null });
  });

  it('searches facts by kind, subject, participant and time', async () => {
    const facts = async (query: string): Promise<FactView[]> => (await admin.get(`/api/facts?${query}`)).body.rows;
    expect((await facts('kind=record.accepted')).map(({ kind }) => kind)).toEqual(['record.accepted', 'record.accepted']);
    expect((await facts('participant=alfa-bank&kind=statement.received')).length).toBe(1);
    const ofSubject = await facts(`subject=${story.subject}`);
    expect(ofSubject.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['decision.made', 'restriction.imposed', 'link.created']));
    expect((await facts('kind=decision.made')).length).toBe(50);
    const future = new Date(Date.now() + 60_000).toISOString();
    expect(await facts(`from=${future}`)).toEqual([]);
    const past = new Date(Date.now() - 45 * 60_000).toISOString();
    for (const { at } of await facts(`to=${past}`)) expect(at < past).toBe(true);
    const [one] = ofSubject;
    expect((await facts(`id=${one!.id}`))[0]).toEqual(one);
    expect((await admin.get('/api/facts?from=yesterday')).body).toMatchObject({ code: 'request.malformed', field: 'from' });
    expect((await admin.get('/api/facts?before=1.2')).body.code).toBe('cursor.malformed');
  });

  it('counts for the overview', async () => {
    const view: OverviewView = (await admin.get('/api/overview')).body;
    const { counts, bars, windowSeconds, capped } = view.decisions;
    expect([windowSeconds, capped, counts.ALLOW + counts.REVIEW + counts.DENY]).toEqual([3600, false, 122]);
    expect(bars.reduce((sum, bar) => sum + bar.ALLOW + bar.REVIEW + bar.DENY, 0)).toBe(122);
    expect(view.records).toMatchObject({ total: '2', about: false });
    expect(view.breaks).toMatchObject({ open: 1, more: false, oldest: { id: story.reconciliation } });
    expect(BigInt(view.log.sealed)).toBeGreaterThan(122n);
    expect(view.alarms).toEqual([]);
    // Not since the last checkpoint: where little happens, that one is old and nothing is late.
    const [signIn]: FactView[] = (await admin.get('/api/facts?kind=staff.signed_in')).body.rows;
    expect(view.log.waitingSince).toBe(signIn!.at);
  });

  it('lists partners with certificates and keys', async () => {
    const { partners }: { partners: PartnerView[] } = (await admin.get('/api/partners')).body;
    expect(partners.map(({ id, state }) => [id, state])).toEqual([
      ['alfa-bank', 'ACTIVE'],
      ['beta-bank', 'SUSPENDED'],
    ]);
    expect(partners[0]).toMatchObject({ lastSeq: '2', eventsWaiting: 0, certificates: [{ state: 'ACTIVE' }, { state: 'ACTIVE' }] });
  });

  it('shows the last checkpoint as it was signed', async () => {
    const { checkpoint } = (await admin.get('/api/checkpoint')).body;
    expect(checkpoint.note).toContain(`${checkpoint.origin}\n${checkpoint.size}\n${checkpoint.rootHash}\n`);
  });

  it('exports a day: asked for, run by the worker, taken away once it is there', async () => {
    const day = new Date().toISOString().slice(0, 10);
    const span = { from: `${day}T00:00:00.000Z`, to: new Date(Date.parse(`${day}T00:00:00.000Z`) + 86_400_000).toISOString() };
    const asked = await admin.send('post', '/api/exports', { ...span, kind: 'record.accepted' });
    expect([asked.status, asked.body.state, asked.body.requestedBy]).toEqual([202, 'REQUESTED', 'admin']);
    expect((await admin.get(`/api/exports/${asked.body.id}/bundle`)).body.code).toBe('export.not_ready');
    await world.runExports();
    const [done] = (await admin.get('/api/exports')).body.exports;
    expect(done).toMatchObject({ id: asked.body.id, state: 'DONE', selection: `${day} · record.accepted`, entriesIncluded: 2 });
    const bundle = await admin
      .get(`/api/exports/${done.id}/bundle`)
      .buffer(true)
      .parse((response, take) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => take(null, Buffer.concat(parts)));
      });
    expect(bundle.headers['content-disposition']).toBe(`attachment; filename="${done.fileName}"`);
    expect((bundle.body as Buffer).length).toBe(done.bytes);
    expect((await admin.send('post', '/api/exports', { from: span.to, to: span.from })).body).toMatchObject({
      code: 'request.malformed',
      field: 'to',
    });
  });
});
