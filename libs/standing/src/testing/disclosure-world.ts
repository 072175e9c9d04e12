import { randomUUID } from 'node:crypto';
import { type CallTerms, type Consent, LocalPeriods } from '#consents';
import { RATING_TYP, type WireConsentRequest } from '#contract';
import { createEd25519Signer, type JsonObject, statusAt, STATUS_LIST_TYP, verifyJws, verifySdJwt } from '#evidence';
import { formatId, Refusal, type ShardedId, systemClock } from '#kernel';
import type { Database } from '#platform';
import { rating, recordHead, verified } from '#records/testing/records';
import { AcceptRecord } from '../accept-record.js';
import { createNotary, nodeClerk } from '../adapters/node-notary.js';
import { PgDisclosureStore } from '../adapters/pg-disclosures.js';
import { PgExchange } from '../adapters/pg-exchange.js';
import { PgStatusReader } from '../adapters/pg-status-reader.js';
import { Consents } from '../consent/consents.js';
import type { ReadRequest } from '../disclosure/judge-reads.js';
import { type RatingAnswer, ReadRatings } from '../disclosure/read-ratings.js';
import { StatusLists } from '../disclosure/status-lists.js';
import { Subjects } from '../subjects.js';
import { receiptSigner } from './exchange-world.js';

const DAY_MS = 86_400_000;
const TERMS: CallTerms = { callsPerDayMax: 1_000, callsPerMonthMax: 10_000, calendar: new LocalPeriods('UTC') };
/** RFC 8037, appendix A.1: a key that everybody knows. */
export const holderSigner = createEd25519Signer({
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  kid: 'bank-a-1',
});

const findKey = (kid: string) => ({ kid, alg: 'EdDSA' as const, jwk: receiptSigner.publicJwk, state: 'ACTIVE' as const });

/** Everything that a credential says to whom all of it is shown. */
export const claimsOf = async (credential: string) => (await verifySdJwt(credential, RATING_TYP, findKey)).value.claims;

/** Subjects that a bank may read as far as they allow, over a real database. */
export class DisclosureWorld {
  readonly notary = createNotary('https://gateway.test', () => receiptSigner);
  readonly subjects: Subjects;
  readonly consents: Consents;
  readonly accept: AcceptRecord;
  readonly ratings: ReadRatings;
  readonly statuses: StatusLists;
  private lastRecord = 0;

  constructor(
    readonly database: Database,
    terms: Partial<CallTerms> = {},
  ) {
    const exchange = new PgExchange(database);
    const reader = new PgStatusReader(database);
    this.subjects = new Subjects(exchange, nodeClerk, systemClock);
    this.consents = new Consents(exchange, nodeClerk, systemClock);
    this.accept = new AcceptRecord(exchange, this.notary, systemClock);
    this.ratings = new ReadRatings(new PgDisclosureStore(database), () => reader.secrets(), this.notary, { ...TERMS, ...terms });
    this.statuses = new StatusLists(reader, this.notary, systemClock);
  }

  /** A subject that bank A is linked to; with a score, bank A has reported it. */
  async subject(score?: number): Promise<{ subject: ShardedId; ref: ShardedId }> {
    const { id: subject } = await this.subjects.register({ caller: 'checkout', key: randomUUID(), kind: 'INDIVIDUAL' });
    const { link } = await this.subjects.link(subject, { participant: 'bank-a' });
    if (score !== undefined) await this.report(link.ref, { kind: 'rating', rating: rating(score) });
    return { subject, ref: link.ref };
  }

  /** Bank A reports something, or another that the subject is linked to; answers its jti. */
  async report(ref: ShardedId, body: object, bank = 'bank-a'): Promise<string> {
    const n = Number(`${process.pid}${++this.lastRecord}`);
    const record = { ...recordHead(bank, ref, n, new Date()), ...body };
    await this.accept.run(bank, await verified(record as never));
    return record.jti;
  }

  /** A bank's link to the subject; it reports the score, too. */
  async reportedBy(bank: string, { subject }: { readonly subject: ShardedId }, score: number): Promise<ShardedId> {
    const { link } = await this.subjects.link(subject, { participant: bank });
    await this.report(link.ref, { kind: 'rating', rating: rating(score) }, bank);
    return link.ref;
  }

  /** What was answered of a subject's thresholds was answered a day earlier. */
  async aDayLater({ subject }: { readonly subject: ShardedId }): Promise<void> {
    await this.database.query(
      `UPDATE threshold_answers SET replay_until = replay_until - interval '1 day', bound_until = bound_until - interval '1 day' WHERE subject = $1`,
      [subject.uuid],
    );
  }

  /** A consent that the subject has granted. */
  async granted(
    of: { subject: ShardedId; ref: ShardedId },
    wish: Partial<WireConsentRequest> = {},
    participant = 'bank-a',
  ): Promise<Consent> {
    const asked = {
      sub: formatId('lnk', of.ref),
      purpose: 'ACCOUNT_REVIEW' as const,
      dataLifeSeconds: 3_600,
      fetch: { type: 'PERIODIC' as const, count: 1_000, every: 'DAY' as const },
      expiresAt: new Date(Date.now() + DAY_MS).toISOString(),
      ...(wish.threshold ? {} : { claims: ['score' as const, 'band' as const] }),
      ...wish,
    };
    const { consent } = await this.consents.request(participant, randomUUID(), asked);
    return await this.act(consent, { kind: 'GRANT', smaller: {} });
  }

  async act({ id, subject }: Consent, action: Parameters<Consents['act']>[1]): Promise<Consent> {
    return (await this.consents.act(id, action, { subject, via: 'test' })).consent;
  }

  read(consent: Consent, wish: Partial<ReadRequest> = {}): Promise<RatingAnswer> {
    const { participant, id, link } = consent;
    return this.ratings.read({ participant, consent: id, ref: link, holderKey: holderSigner.publicJwk as JsonObject, ...wish });
  }

  /** What a read answers: `credential`, `Y`, `N`, `NA`, or the code of the refusal. */
  async outcome(consent: Consent, wish: Partial<ReadRequest> = {}): Promise<string> {
    try {
      const told = await this.read(consent, wish);
      return 'answer' in told ? told.answer : 'credential';
    } catch (error) {
      if (error instanceof Refusal) return error.code;
      throw error;
    }
  }

  async credential(
    consent: Consent,
    wish: Partial<ReadRequest> = {},
  ): Promise<{ readonly credential: string; readonly repeated: boolean }> {
    const told = await this.read(consent, wish);
    if ('credential' in told) return told;
    throw new Error('no credential');
  }

  /** As its holder finds it in the list that the credential names. */
  async statusOf(credential: string): Promise<string> {
    const { idx, uri } = ((await claimsOf(credential))['status'] as { status_list: { idx: number; uri: string } }).status_list;
    const [shard, list] = uri.split('/').slice(-2).map(Number) as [number, number];
    // New ones each time: what is remembered would hide what has changed.
    const lists = new StatusLists(new PgStatusReader(this.database), this.notary, systemClock);
    const { payload } = (await verifyJws(Buffer.from(await lists.token(shard, list, 'bank-a')), STATUS_LIST_TYP, findKey)).value;
    if (payload['sub'] !== uri) throw new Error(`asked for ${uri}, got ${String(payload['sub'])}`);
    return statusAt(payload['status_list'], idx);
  }

  async count(table: string, where = 'true'): Promise<number> {
    const [row] = await this.database.query<{ n: bigint }>(`SELECT count(*) AS n FROM ${table} WHERE ${where}`);
    return Number(row!.n);
  }
}
