// Records as if they had been accepted long ago, many millions of them in minutes: what a record costs once they lie there can be measured then.
import { setTimeout as pause } from 'node:timers/promises';

const RECORDS_PER_SUBJECT = 10;
const SUBJECTS_AT_ONCE = 25_000;

/** A UUIDv7 of a millisecond, whose other digits follow from a text. */
const uuid7 = (ms, text) =>
  `overlay(overlay(lpad(to_hex(${ms}), 12, '0') || substr(md5(${text}), 1, 20) placing '7' from 13) placing '8' from 17)::uuid`;
/** The UUID of the link of the subject numbered n. */
const REF = uuid7('$3::bigint + n', "'link ' || n");

/**
 * Facts before the first one, numbered below zero: the log begins after them, so nobody seals them. One statement for all rows of a record, by the
 * constraints and with the indexes that everybody has. `$1`: the first subject's number, `$2`: how many, `$3`: when the first of all came (ms).
 */
const STORE = `
WITH subject AS MATERIALIZED (
  SELECT n, shards[n % 32 + 1] AS shard, ${uuid7('$3::bigint + n', "'subject ' || n")} AS subject, ${REF} AS ref,
         to_timestamp(($3::bigint + n * ${RECORDS_PER_SUBJECT}) / 1000.0) AS at
    FROM generate_series($1::bigint, $1::bigint + $2::bigint - 1) n, places
), record AS MATERIALIZED (
  SELECT s.*, i AS number, sha256(int8send(i)) AS digest,
         ${uuid7('$3::bigint + i', 'i::text')} AS jti
    FROM subject s CROSS JOIN LATERAL generate_series(n * ${RECORDS_PER_SUBJECT}, (n + 1) * ${RECORDS_PER_SUBJECT} - 1) i
), numbered AS MATERIALIZED (
  SELECT r.*, row_number() OVER (PARTITION BY shard ORDER BY number) + $1::bigint * ${RECORDS_PER_SUBJECT} - 10000000000 AS fact_seq FROM record r
), a AS (
  INSERT INTO subjects (shard, subject, kind, created_at) SELECT shard, subject, 'INDIVIDUAL', at FROM subject
), b AS (
  INSERT INTO links (shard, ref, subject, participant_id, state, created_at) SELECT shard, ref, subject, 'bank-a', 'ACTIVE', at FROM subject
), c AS (
  INSERT INTO standings (shard, subject, kind, version, score, scorecard, factors, judged, updated_at, next_change_at)
  SELECT s.shard, s.subject, 'INDIVIDUAL', 2, 640, '2026.1', m.factors, '[]', s.at, s.at + interval '90 days' FROM subject s, model m
), d AS (
  INSERT INTO standing_versions (shard, subject, version, at, content, salt, fact_seq)
  SELECT s.shard, s.subject, 2, s.at, m.content, 'AAAAAAAAAAAAAAAAAAAAAA', s.n - 20000000000 FROM subject s, model m
), e AS (
  INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref)
  SELECT h.shard, 'bank-a', n.jti, n.number, n.digest, n.shard, n.ref FROM numbered n, home h
), f AS (
  INSERT INTO facts (shard, seq, at, kind, subject, participant, body)
  SELECT n.shard, n.fact_seq, n.at, 'record.accepted', n.subject, 'bank-a', m.fact FROM numbered n, model m
), g AS (
  INSERT INTO records_in_force (shard, subject, iss, jti, root_jti, kind, as_of, valid_until, body)
  SELECT n.shard, n.subject, 'bank-a', n.jti, n.jti, 'rating', n.at, n.at + interval '90 days', m.body FROM numbered n, model m
)
INSERT INTO records (shard, ref, iss, jti, seq, subject, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, salt, batch, line_index)
SELECT n.shard, n.ref, 'bank-a', n.jti, n.number, n.subject, 'rating', n.at, n.digest, m.jws, n.at, n.fact_seq, substr(n.digest, 1, 16), m.batch, n.number
  FROM numbered n, model m`;

/** What all of them have in common: what one has that came in by a sealed batch. */
const PLACES = 'places AS MATERIALIZED (SELECT array_agg(shard ORDER BY shard) AS shards FROM shard_heads)';
const MODEL = `${PLACES},
home AS MATERIALIZED (SELECT shard FROM record_identities LIMIT 1),
model AS MATERIALIZED (
  SELECT r.jws, r.batch, f.body AS fact, i.body, s.factors, v.content
    FROM records r JOIN facts f ON f.shard = r.shard AND f.seq = r.fact_seq
    JOIN records_in_force i ON i.shard = r.shard AND i.subject = r.subject AND i.iss = r.iss AND i.jti = r.jti
    JOIN standings s ON s.shard = r.shard AND s.subject = r.subject AND s.version > 1
    JOIN standing_versions v ON v.shard = s.shard AND v.subject = s.subject AND v.version = s.version
   WHERE r.batch IS NOT NULL LIMIT 1
), subject AS`;

/** Stores records of subjects numbered from..to (ten each), on two connections at once; the first of all came at `firstMs`, the next a millisecond later. */
export async function storeRecords(database, from, to, firstMs) {
  await untilJudged(database);
  const sql = STORE.replace('subject AS', MODEL.trim());
  let next = from;
  const lane = async () => {
    for (let at = next; at < to; at = next) {
      const count = Math.min(SUBJECTS_AT_ONCE, to - at);
      next += count;
      await database.query(sql, [at, count, firstMs]);
    }
  };
  await Promise.all([lane(), lane()]);
}

/** `count` of the links that `storeRecords` made for the subjects below `to`, spread over all of them. */
export async function storedRefs(database, to, count, firstMs) {
  return await database.query(
    `WITH ${PLACES} SELECT shards[n % 32 + 1] AS shard, ${REF} AS uuid
       FROM (SELECT (i * ($1::bigint / $2::bigint)) AS n FROM generate_series(0, $2::bigint - 1) i) numbers, places`,
    [to, count, firstMs],
  );
}

/** What is stored is modelled on a subject that a sealed batch told of, and that was judged since. */
async function untilJudged(database) {
  const JUDGED = `SELECT FROM records r JOIN standings s ON s.shard = r.shard AND s.subject = r.subject AND s.version > 1 WHERE r.batch IS NOT NULL LIMIT 1`;
  while ((await database.query(JUDGED)).length === 0) await pause(100);
}
