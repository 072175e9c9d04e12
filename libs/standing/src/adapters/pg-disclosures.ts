import { PgConsentLedger } from '#consents/adapters/pg-consent-ledger';
import type { JsonObject, TokenStatus } from '#evidence';
import type { Shard, ShardedId } from '#kernel';
import { appendFacts, type Database, orLostReply, type SqlRunner, type Tx } from '#platform';
import type { DisclosedContent, KnownRating } from '../disclosure/rating.js';
import type {
  AnswerPair,
  Disclosure,
  DisclosureBook,
  DisclosureBooks,
  DisclosureStore,
  KeptAnswer,
  StatusOfFact,
  StatusReader,
} from '../disclosure/store.js';
import type { Factor } from '../standing.js';
import { againAfterDeadlock } from './after-deadlock.js';
import { PgStandingBook } from './pg-standing-book.js';
import { readRestriction, type RestrictionJson } from './restriction-json.js';

interface RatingRow {
  shard: Shard;
  subject: string;
  version: bigint;
  score: number;
  factors: Factor[];
  restrictions: RestrictionJson[];
  disputed: boolean;
  reported: boolean;
}

interface DisclosureRow {
  shard: Shard;
  consent: string;
  n: number;
  subject: string;
  link: string;
  participant_id: string;
  idempotency_key: string | null;
  digest: string;
  standing_version: bigint;
  at: Date;
  keep_until: Date;
  content: DisclosedContent;
  salt: string;
  seed: string;
  holder_key: JsonObject | null;
  fact_seq: bigint;
}

interface AnswerRow {
  shard: Shard;
  subject: string;
  participant_id: string;
  at_least: number | null;
  answer: KeptAnswer['given']['answer'];
  replay_until: Date;
  bound_until: Date;
}

/** Reads under consents, each batch one PostgreSQL transaction. */
export class PgDisclosureStore implements DisclosureStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (books: DisclosureBooks) => Promise<T>): Promise<T> {
    return orLostReply(againAfterDeadlock(() => this.database.transaction((tx) => work(booksOf(tx)))));
  }
}

function booksOf(tx: Tx): DisclosureBooks {
  return {
    consentLedger: new PgConsentLedger(tx),
    disclosures: new PgDisclosureBook(tx),
    standings: new PgStandingBook(tx),
    facts: { append: (facts) => appendFacts(tx, facts) },
  };
}

const RATINGS = `
  SELECT s.shard, s.subject, s.version, s.score, s.factors, s.disputed <> '[]' AS disputed,
         coalesce((SELECT json_agg(r ORDER BY r.starts_at, r.id)
                     FROM restrictions r WHERE r.shard = s.shard AND r.subject = s.subject AND r.lifted_at IS NULL), '[]') AS restrictions,
         EXISTS (SELECT FROM records_in_force f WHERE f.shard = s.shard AND f.subject = s.subject AND f.valid_until > now()) AS reported
    FROM unnest($1::smallint[], $2::uuid[]) AS i (shard, subject)
    JOIN standings s ON s.shard = i.shard AND s.subject = i.subject`;

const EARLIER = `
  SELECT d.* FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS i (shard, consent, idempotency_key)
    JOIN disclosures d ON d.shard = i.shard AND d.consent = i.consent AND d.idempotency_key = i.idempotency_key`;

/** Owns `disclosures` and `threshold_answers`; what writes them stands in the migration `disclosures`. */
class PgDisclosureBook implements DisclosureBook {
  constructor(private readonly tx: Tx) {}

  async ratings(subjects: readonly ShardedId[]): Promise<(KnownRating | undefined)[]> {
    const place = [subjects.map(({ shard }) => shard), subjects.map(({ uuid }) => uuid)];
    const rows = await this.tx.query<RatingRow>(RATINGS, place, 'disclosure_ratings');
    const known = new Map(rows.map((row) => [row.subject, readRating(row)]));
    return subjects.map(({ uuid }) => known.get(uuid));
  }

  async earlier(names: readonly { readonly consent: ShardedId; readonly key: string }[]): Promise<Disclosure[]> {
    const values = [names.map(({ consent }) => consent.shard), names.map(({ consent }) => consent.uuid), names.map(({ key }) => key)];
    return (await this.tx.query<DisclosureRow>(EARLIER, values, 'disclosure_earlier')).map(readDisclosure);
  }

  async holdAnswers(pairs: readonly AnswerPair[]): Promise<KeptAnswer[]> {
    const values = [
      pairs.map(({ subject }) => subject.shard),
      pairs.map(({ subject }) => subject.uuid),
      pairs.map(({ participant }) => participant),
    ];
    const rows = await this.tx.query<AnswerRow>('SELECT * FROM hold_threshold_answers($1, $2, $3)', values, 'hold_threshold_answers');
    return rows.flatMap((row) => (row.at_least === null ? [] : [readAnswer(row, row.at_least)]));
  }

  async save(disclosures: readonly Disclosure[], answers: readonly KeptAnswer[]): Promise<void> {
    const values = [JSON.stringify({ disclosures: disclosures.map(disclosureRow), answers: answers.map(answerRow) })];
    await this.tx.query('SELECT FROM save_disclosures($1::json)', values, 'save_disclosures');
  }
}

const NAMED = `
  SELECT d.fact_seq, CASE WHEN c.state = 'PAUSED' AND NOT w.withdrawn THEN 'SUSPENDED' ELSE 'INVALID' END AS status
    FROM disclosures d
    JOIN consents c ON c.shard = d.shard AND c.id = d.consent
   CROSS JOIN LATERAL (
     SELECT EXISTS (
       SELECT FROM standing_versions v
         JOIN records r ON r.shard = v.shard AND r.subject = v.subject AND r.iss = v.cause_iss AND r.jti = v.cause_jti
        WHERE v.shard = d.shard AND v.subject = d.subject AND v.version > d.standing_version AND r.kind IN ('withdrawal', 'correction')
     ) AS withdrawn) w
   WHERE d.shard = $1 AND d.fact_seq >= $2 AND d.fact_seq < $3 AND d.holder_key IS NOT NULL AND d.keep_until > $4
     AND (c.state IN ('REVOKED', 'PAUSED') OR w.withdrawn)`;

/** What status lists are made of. */
export class PgStatusReader implements StatusReader {
  private known: ReadonlyMap<Shard, string> | undefined;

  constructor(private readonly sql: SqlRunner) {}

  async secrets(): Promise<ReadonlyMap<Shard, string>> {
    if (this.known) return this.known;
    const rows = await this.sql.query<{ shard: Shard; secret: string }>('SELECT shard, secret FROM status_list_secrets');
    this.known = new Map(rows.map(({ shard, secret }) => [shard, secret]));
    return this.known;
  }

  async named(shard: Shard, from: bigint, before: bigint, at: Date): Promise<StatusOfFact[] | undefined> {
    const [head] = await this.sql.query<{ last_seq: bigint }>('SELECT last_seq FROM shard_heads WHERE shard = $1', [shard]);
    if (!head || head.last_seq < from) return undefined;
    const rows = await this.sql.query<{ fact_seq: bigint; status: TokenStatus }>(NAMED, [shard, from, before, at]);
    return rows.map(({ fact_seq, status }) => ({ factSeq: fact_seq, status }));
  }
}

function readRating({ version, score, factors, restrictions, disputed, reported }: RatingRow): KnownRating {
  return { version, score, factors, restrictions: restrictions.map(readRestriction), disputed, reported };
}

function readDisclosure(row: DisclosureRow): Disclosure {
  const { shard, consent, n, subject, link, participant_id, idempotency_key, digest, standing_version, at, keep_until } = row;
  return {
    ...{ consent: { shard, uuid: consent }, n, subject: { shard, uuid: subject }, link: { shard, uuid: link } },
    ...{ participant: participant_id, key: idempotency_key ?? undefined, digest, standingVersion: standing_version, at },
    ...{ keepUntil: keep_until, content: row.content, salt: row.salt, seed: row.seed, holderKey: row.holder_key ?? undefined },
    factSeq: row.fact_seq,
  };
}

function disclosureRow(one: Disclosure) {
  const { consent, n, subject, link, participant, key, digest, standingVersion, at, keepUntil, content, salt, seed, holderKey, factSeq } =
    one;
  return {
    ...{ shard: consent.shard, consent: consent.uuid, n, subject: subject.uuid, link: link.uuid, participant_id: participant },
    ...{ idempotency_key: key, digest, standing_version: standingVersion.toString(), at, keep_until: keepUntil, content, salt, seed },
    ...{ holder_key: holderKey, fact_seq: factSeq.toString() },
  };
}

function readAnswer({ shard, subject, participant_id, answer, replay_until, bound_until }: AnswerRow, atLeast: number): KeptAnswer {
  const given = { atLeast, answer, replayUntil: replay_until, boundUntil: bound_until };
  return { subject: { shard, uuid: subject }, participant: participant_id, given };
}

function answerRow({ subject, participant, given }: KeptAnswer) {
  const { atLeast, answer, replayUntil, boundUntil } = given;
  return {
    ...{ shard: subject.shard, subject: subject.uuid, participant_id: participant },
    ...{ at_least: atLeast, answer, replay_until: replayUntil, bound_until: boundUntil },
  };
}
