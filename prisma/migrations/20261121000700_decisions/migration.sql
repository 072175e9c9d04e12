-- Counters, holds and decisions, and the one function that takes decisions (DESIGN.md, "The decision path").
-- Every writer of these tables holds the head row of its shard: nothing here needs a lock of its own.

-- What a subject has spent (confirmed) and has on hold in one window of one counter.
CREATE TABLE usage (
  shard          smallint    NOT NULL,
  subject        uuid        NOT NULL,
  counter        text        NOT NULL,
  window_start   timestamptz NOT NULL,
  used_minor     bigint      NOT NULL CONSTRAINT usage_used_minor_range CHECK (used_minor >= 0),
  reserved_minor bigint      NOT NULL CONSTRAINT usage_reserved_minor_range CHECK (reserved_minor >= 0),
  used_count     bigint      NOT NULL CONSTRAINT usage_used_count_range CHECK (used_count >= 0),
  reserved_count bigint      NOT NULL CONSTRAINT usage_reserved_count_range CHECK (reserved_count >= 0),
  CONSTRAINT usage_pkey PRIMARY KEY (shard, subject, counter, window_start)
) WITH (fillfactor = 50);

-- A decision is its own fact: it takes its number from the same head as the rows of "facts". It is never changed.
CREATE TABLE decisions (
  shard            smallint    NOT NULL,
  seq              bigint      NOT NULL,
  at               timestamptz NOT NULL,
  decision         uuid        NOT NULL,
  subject          uuid        NOT NULL,
  caller           text        NOT NULL,
  key              text,
  digest           bytea       NOT NULL,
  service          text        NOT NULL,
  outcome          text        NOT NULL CONSTRAINT decisions_outcome_known CHECK (outcome IN ('ALLOW', 'DENY', 'REVIEW')),
  computed         text        NOT NULL,
  policy_version   bigint      NOT NULL,
  standing_version bigint      NOT NULL,
  -- Set where something was reserved; the reservation bears the decision's UUID.
  expires_at       timestamptz,
  -- What was asked and evaluated, in canonical form, and the counters as they stood afterwards.
  details          text        NOT NULL,
  usage            text        NOT NULL,
  -- The fact commits to SHA-256(salt || canonical JSON of details and usage), computed where the row is read (pg-decision-ledger.ts).
  salt             uuid        NOT NULL,
  CONSTRAINT decisions_pkey PRIMARY KEY (shard, seq),
  CONSTRAINT decisions_idempotency_key UNIQUE (shard, subject, caller, key),
  CONSTRAINT decisions_decision_key UNIQUE (shard, decision)
);
REVOKE UPDATE, DELETE, TRUNCATE ON decisions FROM tallystick_app;

CREATE TABLE reservations (
  shard             smallint    NOT NULL,
  reservation       uuid        NOT NULL,
  subject           uuid        NOT NULL,
  caller            text        NOT NULL,
  service           text        NOT NULL,
  state             text        NOT NULL CONSTRAINT reservations_state_known CHECK (state IN ('RESERVED', 'CONFIRMED', 'RELEASED', 'EXPIRED')),
  currency          text        NOT NULL,
  amount_minor      bigint      NOT NULL CONSTRAINT reservations_amount_positive CHECK (amount_minor > 0),
  -- While RESERVED, amount less confirmed is still held: parts of an allowance's hold are confirmed one by one.
  confirmed_minor   bigint      NOT NULL DEFAULT 0,
  refunded_minor    bigint      NOT NULL DEFAULT 0,
  -- How many transactions it holds of every count: an allowance holds one for each part that may be spent of it.
  transactions      integer     NOT NULL DEFAULT 1,
  payment_reference text,
  channel           text,
  -- {"<counter>": "<start of its window>"}: where the amount was taken from and goes back to.
  counters          json        NOT NULL,
  expires_at        timestamptz NOT NULL,
  confirmed_at      timestamptz,
  CONSTRAINT reservations_pkey PRIMARY KEY (shard, reservation),
  CONSTRAINT reservations_confirmed_in_reserved CHECK (confirmed_minor BETWEEN 0 AND amount_minor),
  CONSTRAINT reservations_refunded_in_confirmed CHECK (refunded_minor BETWEEN 0 AND confirmed_minor)
) WITH (fillfactor = 80);
CREATE INDEX reservations_open ON reservations (shard, subject, expires_at) WHERE state = 'RESERVED';
CREATE UNIQUE INDEX reservations_reference_key ON reservations (shard, payment_reference, service) WHERE payment_reference IS NOT NULL;
CREATE INDEX reservations_by_channel ON reservations (shard, channel, confirmed_at) WHERE channel IS NOT NULL AND confirmed_at IS NOT NULL;
REVOKE DELETE, TRUNCATE ON reservations FROM tallystick_app;

-- Every step of a reservation after its decision. A refund can be asked for more than once with the same key; it happens once.
CREATE TABLE settlements (
  shard        smallint    NOT NULL,
  reservation  uuid        NOT NULL,
  kind         text        NOT NULL CONSTRAINT settlements_kind_known CHECK (kind IN ('confirm', 'release', 'refund')),
  key          text        NOT NULL,
  at           timestamptz NOT NULL,
  amount_minor bigint      NOT NULL CONSTRAINT settlements_amount_positive CHECK (amount_minor > 0),
  -- The fact commits to SHA-256(salt || canonical JSON of amount, currency, kind and reservation).
  salt         uuid        NOT NULL,
  -- The number of its fact: where it stands among the decisions and steps of its shard.
  seq          bigint      NOT NULL,
  CONSTRAINT settlements_pkey PRIMARY KEY (shard, reservation, kind, key),
  CONSTRAINT settlements_reservation_fkey FOREIGN KEY (shard, reservation) REFERENCES reservations (shard, reservation)
);
REVOKE UPDATE, DELETE, TRUNCATE ON settlements FROM tallystick_app;

-- Gives back what holds that ran out had taken, for these subjects, under the head rows that the caller holds.
-- A hold ends by comparison, so its end needs no fact: the decision's own fact says when it runs out.
CREATE OR REPLACE FUNCTION free_expired(p_shard smallint[], p_subject uuid[], p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  v_freed bigint;
BEGIN
  WITH freed AS (
    UPDATE reservations r
       SET state = 'EXPIRED'
      FROM unnest(p_shard, p_subject) AS i (shard, subject)
     WHERE r.shard = i.shard AND r.subject = i.subject AND r.state = 'RESERVED' AND r.expires_at <= p_at
    RETURNING r.shard, r.subject, r.amount_minor - r.confirmed_minor AS held_minor, r.transactions, r.counters
  ), back AS (
    SELECT f.shard, f.subject, c.key AS counter, c.value::timestamptz AS window_start, sum(f.held_minor) AS minor, sum(f.transactions) AS holds
      FROM freed f CROSS JOIN LATERAL json_each_text(f.counters) AS c
     GROUP BY f.shard, f.subject, c.key, c.value
  ), given AS (
    UPDATE usage u
       SET reserved_minor = u.reserved_minor - b.minor, reserved_count = u.reserved_count - b.holds
      FROM back b
     WHERE u.shard = b.shard AND u.subject = b.subject AND u.counter = b.counter AND u.window_start = b.window_start
  )
  SELECT count(*) INTO v_freed FROM freed;
  RETURN v_freed;
END
$$;

-- An evaluated request on its way into the ledger. "caps_end": its caps in the batch end here (counted from 1) and begin after the end of the item before.
CREATE TYPE decision_item AS (
  shard smallint, subject uuid, decision uuid, caller text, key text, digest bytea, policy bigint, standing bigint,
  valid_from timestamptz, valid_until timestamptz, service text, outcome text, computed text, enforced boolean, hold_seconds integer,
  minor bigint, currency text, reference text, channel text, counters text, salt uuid, details text
);

-- One cap of an item ("item" counts from 1). Usage is written to the counter's row [start ...); what counts against the cap are the counter's
-- rows that start in [counts_from, start]: one row for a calendar window, several grains for a rolling one. "open_only": only what is held
-- now counts, what was confirmed does not. "round" is 1 for a subject's first item in the batch, 2 for its second ...: no counter is judged
-- twice by one statement.
CREATE TYPE decision_cap AS (
  item integer, round integer, shard smallint, subject uuid, minor bigint, holds boolean, enforced boolean,
  counter text, counts_from timestamptz, start timestamptz, open_only boolean, cap_minor bigint, cap_count bigint
);

-- Takes a batch of decisions in one call and one commit. "p_shards": the shards touched; "p_shard" and "p_caps_end" say for each item its shard
-- and where its caps end.
--
-- Answers, one line for each item: "KNOWN" (the key was used: look it up), "STALE" (evaluated with another policy or standing version, or for
-- another time), "REFERENCE" (the payment reference is taken), or "DECIDED", and after a space one "used:reserved:taken:broken" for each cap,
-- as it is after the decision.
--
-- Plans are kept, so each statement is written such that no statistics can lead it astray: every look-up into a table is a subquery of its own
-- on all columns of one index, joined to nothing but the row that asks; rows found are written by their place, and the shard beside it is asked
-- for in a way that no index serves. pg-plans.spec.ts holds the plans of empty tables to that.
CREATE OR REPLACE FUNCTION reserve_batch(
  p_shards smallint[], p_rounds integer, p_shard smallint[], p_caps_end integer[], p_items decision_item[], p_caps decision_cap[]
) RETURNS TABLE (at_ms bigint, policy_version bigint, answers text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_at      timestamptz;
  v_policy  bigint;
  v_verdict text[];
  v_due     boolean;
  v_answer  text[];
  v_usage   text[] := array_fill(''::text, ARRAY[cardinality(p_shard)]);
  -- By cap: its counter after the decision.
  v_counter text[] := array_fill(''::text, ARRAY[greatest(cardinality(p_caps), 1)]);
  v_places  bigint[];
  v_texts   text[];
  v_first   integer := 1;
  v_heads   smallint[];
  v_last    bigint[];
  -- By shard + 1: the number given last. Head rows change with every batch and are read once: a look-up per item would walk their dead versions.
  v_next    bigint[] := array_fill(NULL::bigint, ARRAY[256]);
  v_seq     bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_shard)]);
BEGIN
  -- The heads, in ascending order. Time is read once they are held, and never runs backwards.
  SELECT greatest(date_trunc('milliseconds', clock_timestamp()), max(h.last_at)), max(h.policy_version), array_agg(h.shard), array_agg(h.last_seq)
    INTO v_at, v_policy, v_heads, v_last
    FROM (SELECT shard, last_seq, last_at, policy_version FROM shard_heads WHERE shard = ANY (p_shards) ORDER BY shard FOR NO KEY UPDATE) h;

  SELECT array_agg(CASE
           WHEN f.known THEN 'KNOWN'
           WHEN f.policy <> v_policy OR f.version IS DISTINCT FROM f.standing OR v_at < f.valid_from OR v_at >= f.valid_until THEN 'STALE'
           WHEN f.taken IS NOT NULL THEN 'REFERENCE'
         END ORDER BY f.n), bool_or(f.due)
    INTO v_verdict, v_due
    FROM (
      SELECT i.ordinality AS n, i.policy, i.standing, i.valid_from, i.valid_until,
             -- The first key from this one on. Of a plain equality the planner may take any index that begins with the shard while there are few rows.
             (SELECT d.key FROM decisions d
               WHERE d.shard = i.shard AND d.subject = i.subject AND d.caller = i.caller AND d.key >= i.key
               ORDER BY d.key LIMIT 1) = i.key AS known,
             (SELECT s.version FROM standings s WHERE s.shard = i.shard AND s.subject = i.subject) AS version,
             CASE WHEN i.reference IS NOT NULL THEN
               (SELECT r.reservation FROM reservations r
                 WHERE r.shard = i.shard AND r.payment_reference = i.reference AND r.service = i.service)
             END AS taken,
             (SELECT true FROM reservations r
               WHERE r.shard = i.shard AND r.subject = i.subject AND r.state = 'RESERVED' AND r.expires_at <= v_at
               ORDER BY r.shard, r.subject, r.expires_at LIMIT 1) AS due
        FROM unnest(p_items) WITH ORDINALITY AS i
    ) f;

  IF v_due THEN
    PERFORM free_expired(array_agg(i.shard), array_agg(i.subject), v_at) FROM unnest(p_items) AS i;
  END IF;

  -- Caps of items that are not decided here belong to no round (memory only, no table is touched).
  IF array_remove(v_verdict, NULL) <> '{}' THEN
    FOR i IN 1 .. cardinality(p_caps) LOOP
      IF v_verdict[(p_caps[i]).item] IS NOT NULL THEN
        p_caps[i].round := 0;
      END IF;
    END LOOP;
  END IF;

  FOR v_round IN 1 .. p_rounds LOOP
    WITH room AS MATERIALIZED (
      SELECT c.*, coalesce(c.used + c.reserved + c.minor > c.cap_minor, false) OR coalesce(c.taken + 1 > c.cap_count, false) AS broken
        FROM (
          SELECT c.ordinality AS n, c.item, c.shard, c.subject, c.counter, c.start, c.minor, c.cap_minor, c.cap_count, c.holds, c.enforced, u.place,
                 CASE WHEN c.open_only THEN 0 ELSE coalesce(u.used_minor, 0) + coalesce(g.used_minor, 0) END AS used,
                 coalesce(u.reserved_minor, 0) + coalesce(g.reserved_minor, 0) AS reserved,
                 CASE WHEN c.open_only THEN 0 ELSE coalesce(u.used_count, 0) + coalesce(g.used_count, 0) END
                   + coalesce(u.reserved_count, 0) + coalesce(g.reserved_count, 0) AS taken
            FROM unnest(p_caps) WITH ORDINALITY AS c
            LEFT JOIN LATERAL (
              SELECT u.ctid AS place, u.used_minor, u.reserved_minor, u.used_count, u.reserved_count FROM usage u
               WHERE u.shard = c.shard AND u.subject = c.subject AND u.counter = c.counter AND u.window_start = c.start LIMIT 1
            ) u ON true
            -- The older grains of a rolling window. A calendar window has none and is not looked up.
            CROSS JOIN LATERAL (
              SELECT sum(g.used_minor)::bigint AS used_minor, sum(g.reserved_minor)::bigint AS reserved_minor,
                     sum(g.used_count)::bigint AS used_count, sum(g.reserved_count)::bigint AS reserved_count
                FROM usage g
               WHERE c.counts_from < c.start AND g.shard = c.shard AND g.subject = c.subject AND g.counter = c.counter
                 AND g.window_start >= c.counts_from AND g.window_start < c.start
            ) g
           WHERE c.round = v_round
        ) c
    ), refused AS MATERIALIZED (
      SELECT coalesce(array_agg(item), '{}') AS items FROM room WHERE broken AND enforced
    ), added AS (
      UPDATE usage u SET reserved_minor = u.reserved_minor + r.minor, reserved_count = u.reserved_count + 1
        FROM room r WHERE u.ctid = r.place AND (u.shard = r.shard) IS TRUE AND r.holds AND r.item <> ALL ((SELECT items FROM refused)::integer[])
    ), opened AS (
      INSERT INTO usage (shard, subject, counter, window_start, used_minor, reserved_minor, used_count, reserved_count)
      SELECT shard, subject, counter, start, 0, minor, 0, 1 FROM room
       WHERE place IS NULL AND holds AND item <> ALL ((SELECT items FROM refused)::integer[])
    )
    SELECT array_agg(t.n), array_agg(concat_ws(':', t.used, t.reserved + CASE WHEN t.takes THEN t.minor ELSE 0 END, t.taken + t.takes::integer, t.broken::integer))
      INTO v_places, v_texts
      FROM (SELECT *, holds AND item <> ALL ((SELECT items FROM refused)::integer[]) AS takes FROM room) t;
    FOR i IN 1 .. coalesce(cardinality(v_places), 0) LOOP
      v_counter[v_places[i]] := v_texts[i];
    END LOOP;
  END LOOP;

  -- Numbers and answers, in the items' order (memory only).
  FOR i IN 1 .. cardinality(v_heads) LOOP
    v_next[v_heads[i] + 1] := v_last[i];
  END LOOP;
  v_answer := v_verdict;
  FOR i IN 1 .. cardinality(p_shard) LOOP
    IF v_verdict[i] IS NULL THEN
      v_next[p_shard[i] + 1] := v_next[p_shard[i] + 1] + 1;
      v_seq[i] := v_next[p_shard[i] + 1];
      FOR k IN v_first .. p_caps_end[i] LOOP
        v_usage[i] := CASE k WHEN v_first THEN v_counter[k] ELSE v_usage[i] || ',' || v_counter[k] END;
      END LOOP;
      v_answer[i] := 'DECIDED ' || v_usage[i];
    END IF;
    v_first := p_caps_end[i] + 1;
  END LOOP;
  FOR i IN 1 .. cardinality(v_heads) LOOP
    v_last[i] := v_next[v_heads[i] + 1];
  END LOOP;

  WITH decided AS MATERIALIZED (
    SELECT i.*, CASE WHEN refused AND enforced THEN 'DENY' ELSE outcome END AS final, CASE WHEN refused THEN 'DENY' ELSE computed END AS said,
           CASE WHEN hold_seconds IS NOT NULL AND NOT (refused AND enforced) THEN v_at + make_interval(secs => hold_seconds) END AS expires_at
      FROM (
        SELECT i.*, strpos(i.usage || ',', ':1,') > 0 AS refused
          FROM ROWS FROM (unnest(p_items), unnest(v_seq), unnest(v_usage))
               AS i (shard, subject, decision, caller, key, digest, policy, standing, valid_from, valid_until, service, outcome, computed, enforced,
                     hold_seconds, minor, currency, reference, channel, counters, salt, details, seq, usage)
         WHERE i.seq IS NOT NULL
      ) i
  ), held AS (
    INSERT INTO reservations (shard, reservation, subject, caller, service, state, currency, amount_minor, payment_reference, channel, counters, expires_at)
    SELECT shard, decision, subject, caller, service, 'RESERVED', currency, minor, reference, channel, counters::json, expires_at
      FROM decided WHERE expires_at IS NOT NULL
  ), saved AS (
    INSERT INTO decisions (shard, seq, at, decision, subject, caller, key, digest, service, outcome, computed, policy_version,
                           standing_version, expires_at, details, usage, salt)
    SELECT shard, seq, v_at, decision, subject, caller, key, digest, service, final, said, policy, standing, expires_at, details, usage, salt
      FROM decided
  )
  UPDATE shard_heads h SET last_seq = c.last_seq, last_at = v_at
    FROM unnest(v_heads, v_last) AS c (shard, last_seq)
   WHERE h.shard = c.shard AND h.last_seq < c.last_seq;

  at_ms := extract(epoch FROM v_at) * 1000;
  policy_version := v_policy;
  answers := array_to_string(v_answer, E'\n');
  RETURN NEXT;
END
$$;

-- What EVALUATE and headroom ask about: a standing and a policy at a time. Caps come as decision_cap, all of round 1.
CREATE TYPE inspection AS (shard smallint, subject uuid, policy bigint, standing bigint, valid_from timestamptz, valid_until timestamptz);

-- The same verdicts and usage as of now, without a lock and without a trace: "STALE", or "SEEN" and the caps' counters; each line begins with
-- the time and the policy version of the item's head row. Holds that ran out are taken off the count; the next reservation frees them.
CREATE OR REPLACE FUNCTION inspect_batch(p_caps_end integer[], p_items inspection[], p_caps decision_cap[]) RETURNS TABLE (answers text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_now     timestamptz := date_trunc('milliseconds', clock_timestamp());
  v_answer  text[];
  v_counter text[];
  v_usage   text;
  v_first   integer := 1;
BEGIN
  SELECT array_agg(concat_ws(':', c.used, c.reserved, c.taken,
                   (coalesce(c.used + c.reserved + c.minor > c.cap_minor, false) OR coalesce(c.taken + 1 > c.cap_count, false))::integer) ORDER BY c.n)
    INTO v_counter
    FROM (
      SELECT c.ordinality AS n, c.minor, c.cap_minor, c.cap_count, CASE WHEN c.open_only THEN 0 ELSE coalesce(u.used_minor, 0) END AS used,
             coalesce(u.reserved_minor, 0) - coalesce(x.minor, 0) AS reserved,
             CASE WHEN c.open_only THEN 0 ELSE coalesce(u.used_count, 0) END + coalesce(u.reserved_count, 0) - coalesce(x.holds, 0) AS taken
        FROM unnest(p_caps) WITH ORDINALITY AS c
       CROSS JOIN LATERAL (
         SELECT sum(u.used_minor)::bigint AS used_minor, sum(u.reserved_minor)::bigint AS reserved_minor,
                sum(u.used_count)::bigint AS used_count, sum(u.reserved_count)::bigint AS reserved_count
           FROM usage u
          WHERE u.shard = c.shard AND u.subject = c.subject AND u.counter = c.counter
            AND u.window_start >= c.counts_from AND u.window_start <= c.start
       ) u
       CROSS JOIN LATERAL (
         SELECT sum(r.held_minor)::bigint AS minor, sum(r.transactions) AS holds
           FROM (
             SELECT r.amount_minor - r.confirmed_minor AS held_minor, r.transactions, r.counters FROM reservations r
              WHERE r.shard = c.shard AND r.subject = c.subject AND r.state = 'RESERVED' AND r.expires_at <= v_now
              ORDER BY r.shard, r.subject, r.expires_at
           ) r
          WHERE (r.counters ->> c.counter)::timestamptz BETWEEN c.counts_from AND c.start
       ) x
    ) c;

  SELECT array_agg((extract(epoch FROM v.at) * 1000)::bigint || ' ' || v.policy_version || ' '
           || CASE WHEN v.policy <> v.policy_version OR v.version IS DISTINCT FROM v.standing OR v.at < v.valid_from OR v.at >= v.valid_until
                   THEN 'STALE' ELSE 'SEEN ' END ORDER BY v.n)
    INTO v_answer
    FROM (
      SELECT i.*, i.ordinality AS n, greatest(v_now, h.last_at) AS at, h.policy_version,
             (SELECT s.version FROM standings s WHERE s.shard = i.shard AND s.subject = i.subject) AS version
        FROM unnest(p_items) WITH ORDINALITY AS i
       CROSS JOIN LATERAL (SELECT h.last_at, h.policy_version FROM shard_heads h WHERE h.shard = i.shard LIMIT 1) h
    ) v;

  FOR i IN 1 .. cardinality(p_caps_end) LOOP
    IF v_answer[i] LIKE '%SEEN ' THEN
      v_usage := '';
      FOR k IN v_first .. p_caps_end[i] LOOP
        v_usage := CASE k WHEN v_first THEN v_counter[k] ELSE v_usage || ',' || v_counter[k] END;
      END LOOP;
      v_answer[i] := v_answer[i] || v_usage;
    END IF;
    v_first := p_caps_end[i] + 1;
  END LOOP;

  answers := array_to_string(v_answer, E'\n');
  RETURN NEXT;
END
$$;

-- A step of a reservation that somebody asks for. "minor" and "currency" NULL: the whole. "round" is 1 for a reservation's first step in the
-- batch, 2 for its second ...: each is judged by what the one before left.
CREATE TYPE settlement_ask AS (
  round integer, shard smallint, reservation uuid, caller text, kind text, minor bigint, currency text, key text, salt uuid
);

-- Takes a batch of steps in one call and one commit, under the heads of their shards; a refused step leaves the others standing. The rule is
-- that of reservation.ts, which tells it in words (pg-settle-batch.spec.ts holds the two equal). Each step that is done leaves its row and its
-- fact; what it moves goes to the windows of the reservation, however long ago they were.
--
-- Verdicts: "DONE", "REPEATED" (it was so already), and what is refused: "UNKNOWN" (or another caller's), "CURRENCY", "KEY_REUSED", "EXPIRED",
-- "SETTLED", "ABOVE_RESERVED", "ABOVE_CONFIRMED". The reservation is told as it is afterwards. Plans are kept, as in reserve_batch.
CREATE OR REPLACE FUNCTION settle_batch(p_shards smallint[], p_rounds integer, p_asks settlement_ask[])
RETURNS TABLE (item integer, verdict text, subject uuid, caller text, state text, currency text, amount_minor bigint, confirmed_minor bigint,
               refunded_minor bigint, expires_at timestamptz)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_at timestamptz;
BEGIN
  SELECT greatest(date_trunc('milliseconds', clock_timestamp()), max(h.last_at)) INTO v_at
    FROM (SELECT last_at FROM shard_heads WHERE shard = ANY (p_shards) ORDER BY shard FOR NO KEY UPDATE) h;

  FOR v_round IN 1 .. p_rounds LOOP
    RETURN QUERY
    WITH asked AS MATERIALIZED (
      SELECT a.ordinality AS n, a.shard, a.reservation, a.caller, a.kind, a.minor, a.currency AS asked_currency, a.key, a.salt, r.place, r.owner, r.subject,
             r.state, r.currency, r.amount_minor, r.confirmed_minor, r.refunded_minor, r.expires_at, r.counters,
             coalesce(a.minor, CASE a.kind WHEN 'refund' THEN r.confirmed_minor - r.refunded_minor ELSE r.amount_minor END) AS moves,
             CASE WHEN a.kind = 'refund' THEN
               (SELECT s.amount_minor FROM settlements s
                 WHERE s.shard = a.shard AND s.reservation = a.reservation AND s.kind = 'refund' AND s.key = a.key)
             END AS refunded_before
        FROM unnest(p_asks) WITH ORDINALITY AS a
        LEFT JOIN LATERAL (
          SELECT r.ctid AS place, r.caller AS owner, r.subject, r.state, r.currency, r.amount_minor, r.confirmed_minor, r.refunded_minor,
                 r.expires_at, r.counters
            FROM reservations r WHERE r.shard = a.shard AND r.reservation >= a.reservation AND r.reservation <= a.reservation
           ORDER BY r.reservation LIMIT 1
        ) r ON true
       WHERE a.round = v_round
    ), judged AS MATERIALIZED (
      SELECT asked.*, CASE
               WHEN owner IS NULL OR owner <> caller THEN 'UNKNOWN'
               WHEN refunded_before <> minor THEN 'KEY_REUSED'
               WHEN refunded_before IS NOT NULL THEN 'REPEATED'
               WHEN asked_currency <> currency THEN 'CURRENCY'
               WHEN kind = 'confirm' AND state = 'CONFIRMED' AND confirmed_minor = moves THEN 'REPEATED'
               WHEN kind = 'release' AND state = 'RELEASED' THEN 'REPEATED'
               WHEN kind = 'refund' AND state <> 'CONFIRMED' THEN 'SETTLED'
               WHEN kind = 'refund' AND moves NOT BETWEEN 1 AND confirmed_minor - refunded_minor THEN 'ABOVE_CONFIRMED'
               WHEN kind = 'refund' THEN 'DONE'
               WHEN state = 'EXPIRED' OR (state = 'RESERVED' AND expires_at <= v_at) THEN 'EXPIRED'
               WHEN state <> 'RESERVED' THEN 'SETTLED'
               WHEN kind = 'confirm' AND moves NOT BETWEEN 1 AND amount_minor THEN 'ABOVE_RESERVED'
               ELSE 'DONE'
             END AS verdict
        FROM asked
    ), heads AS MATERIALIZED (
      SELECT shard, last_seq FROM shard_heads WHERE shard = ANY (p_shards)
    ), done AS MATERIALIZED (
      SELECT j.*, h.last_seq + row_number() OVER (PARTITION BY j.shard ORDER BY j.n) AS seq,
             CASE kind WHEN 'confirm' THEN 'CONFIRMED' WHEN 'release' THEN 'RELEASED' ELSE state END AS next_state,
             CASE kind WHEN 'confirm' THEN moves ELSE confirmed_minor END AS next_confirmed,
             CASE kind WHEN 'refund' THEN refunded_minor + moves ELSE refunded_minor END AS next_refunded
        FROM judged j JOIN heads h ON h.shard = j.shard
       WHERE j.verdict = 'DONE'
    ), back AS MATERIALIZED (
      -- The whole given back gives the count back, too.
      SELECT d.shard, d.subject, c.key AS counter, c.value::timestamptz AS window_start,
             sum(CASE d.kind WHEN 'confirm' THEN d.moves WHEN 'refund' THEN -d.moves ELSE 0 END)::bigint AS used_minor,
             sum(CASE d.kind WHEN 'refund' THEN 0 ELSE d.amount_minor END)::bigint AS freed_minor,
             sum(CASE WHEN d.kind = 'confirm' THEN 1 WHEN d.kind = 'refund' AND d.next_refunded = d.confirmed_minor THEN -1 ELSE 0 END) AS used_count,
             sum(CASE d.kind WHEN 'refund' THEN 0 ELSE 1 END) AS freed_count
        FROM done d CROSS JOIN LATERAL json_each_text(d.counters) AS c
       GROUP BY d.shard, d.subject, c.key, c.value
    ), placed AS MATERIALIZED (
      SELECT b.*, (SELECT u.ctid FROM usage u
                    WHERE u.shard = b.shard AND u.subject = b.subject AND u.counter = b.counter AND u.window_start = b.window_start) AS place
        FROM back b
    ), moved AS (
      UPDATE usage u SET used_minor = u.used_minor + p.used_minor, reserved_minor = u.reserved_minor - p.freed_minor,
             used_count = u.used_count + p.used_count, reserved_count = u.reserved_count - p.freed_count
        FROM placed p WHERE u.ctid = p.place AND (u.shard = p.shard) IS TRUE
    ), settled AS (
      UPDATE reservations r SET state = d.next_state, confirmed_minor = d.next_confirmed, refunded_minor = d.next_refunded,
             confirmed_at = CASE WHEN d.next_state = 'CONFIRMED' THEN coalesce(r.confirmed_at, v_at) END
        FROM done d WHERE r.ctid = d.place AND (r.shard = d.shard) IS TRUE
    ), kept AS (
      INSERT INTO settlements (shard, reservation, kind, key, at, amount_minor, salt, seq)
      SELECT shard, reservation, kind, CASE kind WHEN 'refund' THEN key ELSE '' END, v_at, moves, salt, seq FROM done
    ), told AS (
      INSERT INTO facts (shard, seq, at, kind, subject, body)
      SELECT shard, seq, v_at, CASE kind WHEN 'confirm' THEN 'reservation.confirmed' WHEN 'release' THEN 'reservation.released' ELSE 'reservation.refunded' END,
             subject, '{"commitment":"' || encode(sha256(uuid_send(salt) || convert_to('{"amountMinor":"' || moves || '","currency":"' || currency
               || '","kind":"' || kind || '","reservation":"' || reservation || '"}', 'UTF8')), 'hex') || '","reservation":"' || reservation || '"}'
        FROM done
    ), counted AS (
      UPDATE shard_heads h SET last_seq = c.seq, last_at = v_at
        FROM (SELECT shard, max(seq) AS seq FROM done GROUP BY shard) c WHERE h.shard = c.shard
    )
    SELECT j.n::integer, j.verdict, j.subject, j.owner, coalesce(d.next_state, j.state), j.currency, j.amount_minor,
           coalesce(d.next_confirmed, j.confirmed_minor), coalesce(d.next_refunded, j.refunded_minor), j.expires_at
      FROM judged j LEFT JOIN done d ON d.n = j.n;
  END LOOP;
END
$$;
