import { countedRow, useRow } from '#consents/adapters/consent-rows';
import { PgConsentLedger } from '#consents/adapters/pg-consent-ledger';
import type { SubjectKind } from '#contract';
import type { JsonObject } from '#evidence';
import type { Shard } from '#kernel';
import { appendFacts, type Database, orLostReply, type Tx } from '#platform';
import type { ThresholdGrounds } from '../disclosure/frozen-rating.js';
import type { DisclosedContent } from '../disclosure/rating.js';
import type {
  AnswerPair,
  Disclosure,
  DisclosureBook,
  DisclosureBooks,
  DisclosureStore,
  EarlierRead,
  KeptAnswer,
  KnownForRead,
  ReadsSaving,
} from '../disclosure/store.js';
import type { DisputedRecord } from '../dispute/disputed-record.js';
import type { Factor } from '../standing.js';
import { againAfterDeadlock } from './after-deadlock.js';
import { type LinkJson, readLink, readRecordInForce, type RecordJson } from './held-subject.js';
import { PgStandingBook } from './pg-standing-book.js';
import { readRestriction, type RestrictionJson } from './restriction-json.js';

interface KnownRow {
  n: bigint;
  version: bigint;
  score: number;
  factors: Factor[];
  restrictions: RestrictionJson[];
  disputed: boolean;
  threshold: ThresholdJson | null;
  link_ended: boolean;
  earlier: DisclosureJson | null;
}

/** What a threshold is answered by. */
interface ThresholdJson {
  kind: SubjectKind;
  shard: Shard;
  subject: string;
  links: LinkJson[];
  in_force: RecordJson[];
  disputed: DisputedRecord[];
  own: { at: string; in_force: RecordJson[]; disputed: DisputedRecord[] } | null;
}

/** A row of `disclosures` as PostgreSQL tells it in JSON. */
interface DisclosureJson {
  shard: Shard;
  consent: string;
  n: number;
  subject: string;
  link: string;
  participant_id: string;
  idempotency_key: string | null;
  digest: string;
  standing_version: number;
  at: string;
  keep_until: string;
  /** Null together, once they are erased. */
  content: DisclosedContent | null;
  salt: string | null;
  seed: string | null;
  holder_key: JsonObject | null;
  fact_seq: number;
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

const KNOWN = `
  SELECT i.n, s.version, s.score, s.factors, s.disputed <> '[]' AS disputed,
         coalesce((SELECT json_agg(r ORDER BY r.starts_at, r.id)
                     FROM restrictions r WHERE r.shard = s.shard AND r.subject = s.subject AND r.lifted_at IS NULL), '[]') AS restrictions,
         CASE WHEN c.threshold IS NOT NULL THEN json_build_object(
           'kind', s.kind, 'shard', s.shard, 'subject', s.subject, 'disputed', s.disputed,
           'links', (SELECT json_agg(l)
                       FROM (SELECT ref, participant_id, customer_reference, created_at, ended_at FROM links
                              WHERE shard = s.shard AND subject = s.subject) l),
           'in_force', (SELECT coalesce(json_agg(f), '[]')
                          FROM (SELECT iss, jti, root_jti, as_of, valid_until, body FROM records_in_force
                                 WHERE shard = s.shard AND subject = s.subject) f),
           'own', (SELECT to_json(o)
                     FROM (SELECT at, in_force, disputed FROM frozen_contributions WHERE shard = c.shard AND consent = c.id) o)) END AS threshold,
         EXISTS (SELECT FROM links l WHERE l.shard = c.shard AND l.ref = c.link AND l.state = 'ENDED') AS link_ended,
         (SELECT to_json(d) FROM disclosures d WHERE d.shard = i.shard AND d.consent = i.consent AND d.idempotency_key = i.idempotency_key) AS earlier
    FROM unnest($1::smallint[], $2::uuid[], $3::text[]) WITH ORDINALITY AS i (shard, consent, idempotency_key, n)
    JOIN consents c ON c.shard = i.shard AND c.id = i.consent
    JOIN standings s ON s.shard = c.shard AND s.subject = c.subject`;

/** Owns `disclosures` and `threshold_answers`; what writes them stands in the migration `disclosures`. */
class PgDisclosureBook implements DisclosureBook {
  constructor(private readonly tx: Tx) {}

  async known(reads: Parameters<DisclosureBook['known']>[0]): Promise<(KnownForRead | undefined)[]> {
    const values = [
      reads.map(({ consent }) => consent.shard),
      reads.map(({ consent }) => consent.uuid),
      reads.map(({ key }) => key ?? null),
    ];
    const rows = await this.tx.query<KnownRow>(KNOWN, values, 'known_for_reads');
    const known = new Map(rows.map((row) => [Number(row.n), readKnown(row)]));
    return reads.map((_, i) => known.get(i + 1));
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

  async save({ uses, counted, disclosures, answers }: ReadsSaving): Promise<void> {
    const told = JSON.stringify({ disclosures: disclosures.map(disclosureRow), answers: answers.map(answerRow) });
    const counts = JSON.stringify({ uses: uses.map(useRow), counted: counted.map(countedRow) });
    // Uses come first: a disclosure is one of them.
    await this.tx.query('SELECT save_consent_uses($1::jsonb), save_disclosures($2::json)', [counts, told], 'save_reads');
  }
}

function readKnown({ version, score, factors, restrictions, disputed, threshold, link_ended, earlier }: KnownRow): KnownForRead {
  return {
    rating: { version, score, factors, restrictions: restrictions.map(readRestriction), disputed },
    ...(threshold ? { threshold: readThreshold(threshold) } : {}),
    linkEnded: link_ended,
    ...(earlier ? { earlier: readEarlier(earlier) } : {}),
  };
}

function readThreshold({ kind, shard, subject, links, in_force, disputed, own }: ThresholdJson): ThresholdGrounds {
  return {
    kind,
    links: links.map((link) => readLink({ shard, uuid: subject }, link)),
    records: in_force.map(readRecordInForce),
    disputes: disputed,
    own: own ? { at: new Date(own.at), records: own.in_force.map(readRecordInForce), disputes: own.disputed } : undefined,
  };
}

function readEarlier(row: DisclosureJson): EarlierRead {
  const { shard, consent, n, subject, link, participant_id, idempotency_key, digest, standing_version, at, keep_until } = row;
  const { content, salt, seed, holder_key, fact_seq } = row;
  const keepUntil = new Date(keep_until);
  if (content === null || salt === null || seed === null) return { digest, keepUntil };
  const told: Disclosure = {
    consent: { shard, uuid: consent },
    n,
    subject: { shard, uuid: subject },
    link: { shard, uuid: link },
    participant: participant_id,
    key: idempotency_key ?? undefined,
    digest,
    standingVersion: BigInt(standing_version),
    at: new Date(at),
    keepUntil,
    content,
    salt,
    seed,
    holderKey: holder_key ?? undefined,
    factSeq: BigInt(fact_seq),
  };
  return { digest, keepUntil, told };
}

function disclosureRow(one: Disclosure) {
  const { consent, n, subject, link, participant, key, digest, standingVersion, at, keepUntil, content, salt, seed, holderKey, factSeq } =
    one;
  return {
    shard: consent.shard,
    consent: consent.uuid,
    n,
    subject: subject.uuid,
    link: link.uuid,
    participant_id: participant,
    idempotency_key: key,
    digest,
    standing_version: standingVersion.toString(),
    at,
    keep_until: keepUntil,
    content,
    salt,
    seed,
    holder_key: holderKey,
    fact_seq: factSeq.toString(),
  };
}

function readAnswer({ shard, subject, participant_id, answer, replay_until, bound_until }: AnswerRow, atLeast: number): KeptAnswer {
  const given = { atLeast, answer, replayUntil: replay_until, boundUntil: bound_until };
  return { subject: { shard, uuid: subject }, participant: participant_id, given };
}

function answerRow({ subject, participant, given }: KeptAnswer) {
  const { atLeast, answer, replayUntil, boundUntil } = given;
  return {
    shard: subject.shard,
    subject: subject.uuid,
    participant_id: participant,
    at_least: atLeast,
    answer,
    replay_until: replayUntil,
    bound_until: boundUntil,
  };
}
