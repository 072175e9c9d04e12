import { type CallTerms, judgeUses, LocalPeriods, type UseWish } from '#consents';
import { parseConsentRequest } from '#contract';
import { formatId, Refusal, type ShardedId, systemClock } from '#kernel';
import type { Database } from '#platform';
import { nodeClerk } from '../adapters/node-notary.js';
import { PgDisclosureStore } from '../adapters/pg-disclosures.js';
import { PgExchange } from '../adapters/pg-exchange.js';
import { Consents } from '../consent/consents.js';
import { Subjects } from '../subjects.js';

const generousTerms: CallTerms = { callsPerDayMax: 10_000, callsPerMonthMax: 100_000, calendar: new LocalPeriods('UTC') };
const DAY_MS = 86_400_000;
let lastKey = 0;

/** Subjects that banks ask for consents, on a real database whose clock decides. */
export class ConsentWorld {
  readonly exchange: PgExchange;
  readonly subjects: Subjects;
  readonly consents: Consents;

  constructor(readonly database: Database) {
    this.exchange = new PgExchange(database);
    this.subjects = new Subjects(this.exchange, nodeClerk, systemClock);
    this.consents = new Consents(this.exchange, nodeClerk, systemClock);
  }

  async subject(): Promise<ShardedId> {
    return (await this.subjects.register({ caller: 'wallet', key: `consent-world-${++lastKey}`, kind: 'INDIVIDUAL' })).id;
  }

  async link(subject: ShardedId, participant: string): Promise<ShardedId> {
    return (await this.subjects.link(subject, { participant })).link.ref;
  }

  async request(participant: string, link: ShardedId, change: object = {}, key = `consent-key-${++lastKey}`) {
    return await this.consents.request(participant, key, parseConsentRequest({ ...consentBody(link), ...change }));
  }

  /** A subject with a link to the bank and a consent that the bank may use now. */
  async granted(participant = 'bank-a', change: object = {}) {
    const subject = await this.subject();
    const link = await this.link(subject, participant);
    const { consent } = await this.request(participant, link, change);
    await this.consents.act(consent.id, { kind: 'GRANT', smaller: {} }, { subject, via: 'wallet' });
    return { subject, link, id: consent.id, wish: { participant, consent: consent.id, ref: link } };
  }

  /** One read as a door makes it: hold, judge, fact, save. `n` of the use, or the code of the refusal. */
  async read(wish: UseWish, terms = generousTerms, database = this.database): Promise<number | string> {
    return await new PgDisclosureStore(database).transaction(async ({ consentLedger, disclosures, facts }) => {
      const { answers, counted, consumed } = judgeUses([wish], await consentLedger.hold([wish.consent]), terms);
      const use = answers[0]!;
      if (use instanceof Refusal) return use.code;
      const { id, subject, participant } = use.consent;
      const body = { consent: formatId('cns', id) };
      const fact = { shard: id.shard, kind: 'rating.disclosed', subject: subject.uuid, participant, body };
      const positions = await facts.append([fact, ...consumed.map(() => ({ ...fact, kind: 'consent.consumed' }))]);
      await disclosures.save({ uses: [{ use, position: positions[0]! }], counted, disclosures: [], answers: [] });
      const kept = { content: {}, salt: '', via: 'gateway', position: positions.at(-1)! };
      await consentLedger.saveVersions(consumed.map((change) => ({ ...change, ...kept })));
      return use.n;
    });
  }
}

export function consentBody(link: ShardedId): Record<string, unknown> {
  return {
    sub: formatId('lnk', link),
    purpose: 'ACCOUNT_REVIEW',
    claims: ['score', 'band', 'asOf'],
    fetch: { type: 'PERIODIC', count: 1_000, every: 'DAY' },
    dataLifeSeconds: 86_400,
    expiresAt: new Date(Date.now() + 30 * DAY_MS).toISOString(),
  };
}

export async function refusalCode(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}
