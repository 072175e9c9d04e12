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
  salt             uuid        NOT NULL,
  commitment       bytea       NOT NULL,
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
  -- Nearly always there is nothing to free, and finding that out is cheaper than planning to free it.
  IF NOT EXISTS (
    SELECT FROM unnest(p_shard, p_subject) AS i (shard, subject)
     -- One look-up per subject: as a plain join the planner may walk every hold that is open anywhere.
     CROSS JOIN LATERAL (
       SELECT FROM reservations r
        WHERE r.shard = i.shard AND r.subject = i.subject AND r.state = 'RESERVED' AND r.expires_at <= p_at
        ORDER BY r.shard, r.subject, r.expires_at LIMIT 1
     ) due
  ) THEN
    RETURN 0;
  END IF;

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

-- Takes a batch of decisions in one call and one commit. Items are columns of equal length, caps likewise (one row per counter of an
-- item, in the items' order; "item" counts from 1). "round" is 1 for a subject's first item in the batch, 2 for its second ...:
-- a counter is never judged twice by one statement.
-- Plans are made for each call: one kept from when a table was empty looked rows up by shard alone and cost ten times as much an hour later.
--
-- Verdicts: KNOWN (the key was used: look it up), STALE (evaluated with another policy or standing version, or for another time),
-- REFERENCE (the payment reference is taken), DECIDED. "usage" has one "used:reserved:taken:broken" for each cap, after the decision.
CREATE OR REPLACE FUNCTION reserve_batch(
  p_shards smallint[], p_rounds integer,
  p_shard smallint[], p_subject uuid[], p_caller text[], p_key text[], p_digest bytea[], p_policy bigint[], p_standing bigint[],
  p_from timestamptz[], p_until timestamptz[], p_decision uuid[], p_service text[], p_outcome text[], p_computed text[],
  p_enforced boolean[], p_hold_seconds integer[], p_minor bigint[], p_currency text[], p_reference text[], p_channel text[],
  p_counters text[], p_salt uuid[], p_details text[],
  c_item integer[], c_shard smallint[], c_subject uuid[], c_round integer[], c_counter text[], c_start timestamptz[],
  c_minor bigint[], c_cap_minor bigint[], c_cap_count bigint[], c_holds boolean[], c_enforced boolean[]
) RETURNS TABLE (item integer, verdict text, seq bigint, at_ms bigint, policy_version bigint, usage text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
  v_at       timestamptz;
  v_policy   bigint;
  v_verdict  text[];
  v_usage    text[] := array_fill(''::text, ARRAY[cardinality(p_shard)]);
  v_items    integer[];
  v_texts    text[];
  v_heads    smallint[];
  v_last     bigint[];
  -- By shard + 1: the number given last. Head rows change with every batch and are read once: a look-up per item would walk their dead versions.
  v_next     bigint[] := array_fill(NULL::bigint, ARRAY[256]);
  v_seq      bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_shard)]);
BEGIN
  -- The heads, in ascending order. Time is read once they are held, and never runs backwards.
  SELECT greatest(date_trunc('milliseconds', clock_timestamp()), max(h.last_at)), max(h.policy_version), array_agg(h.shard), array_agg(h.last_seq)
    INTO v_at, v_policy, v_heads, v_last
    FROM (SELECT shard, last_seq, last_at, policy_version FROM shard_heads WHERE shard = ANY (p_shards) ORDER BY shard FOR NO KEY UPDATE) h;

  SELECT array_agg(CASE
           WHEN d.seq IS NOT NULL THEN 'KNOWN'
           WHEN i.policy <> v_policy OR s.version IS DISTINCT FROM i.standing OR v_at < i.valid_from OR v_at >= i.valid_until THEN 'STALE'
           WHEN r.reservation IS NOT NULL THEN 'REFERENCE'
         END ORDER BY i.n)
    INTO v_verdict
    FROM unnest(p_shard, p_subject, p_caller, p_key, p_policy, p_standing, p_from, p_until, p_service, p_reference)
         WITH ORDINALITY AS i (shard, subject, caller, key, policy, standing, valid_from, valid_until, service, reference, n)
    LEFT JOIN decisions d ON d.shard = i.shard AND d.subject = i.subject AND d.caller = i.caller AND d.key = i.key
    LEFT JOIN standings s ON s.shard = i.shard AND s.subject = i.subject
    LEFT JOIN reservations r ON r.shard = i.shard AND r.payment_reference = i.reference AND r.service = i.service;

  PERFORM free_expired(p_shard, p_subject, v_at);

  -- Caps of items that are not decided here fall away (memory only, no table is touched).
  IF array_remove(v_verdict, NULL) <> '{}' THEN
    SELECT array_agg(c.item ORDER BY c.n), array_agg(c.shard ORDER BY c.n), array_agg(c.subject ORDER BY c.n), array_agg(c.round ORDER BY c.n),
           array_agg(c.counter ORDER BY c.n), array_agg(c.start ORDER BY c.n), array_agg(c.minor ORDER BY c.n),
           array_agg(c.cap_minor ORDER BY c.n), array_agg(c.cap_count ORDER BY c.n), array_agg(c.holds ORDER BY c.n),
           array_agg(c.enforced ORDER BY c.n)
      INTO c_item, c_shard, c_subject, c_round, c_counter, c_start, c_minor, c_cap_minor, c_cap_count, c_holds, c_enforced
      FROM unnest(c_item, c_shard, c_subject, c_round, c_counter, c_start, c_minor, c_cap_minor, c_cap_count, c_holds, c_enforced)
           WITH ORDINALITY AS c (item, shard, subject, round, counter, start, minor, cap_minor, cap_count, holds, enforced, n)
     WHERE v_verdict[c.item] IS NULL;
  END IF;

  FOR v_round IN 1 .. p_rounds LOOP
    WITH room AS (
      SELECT c.item, c.n, c.shard, c.subject, c.counter, c.start, c.minor, c.holds, c.enforced, u.ctid AS place,
             coalesce(u.used_minor, 0) AS used_minor, coalesce(u.reserved_minor, 0) AS reserved_minor,
             coalesce(u.used_count + u.reserved_count, 0) AS taken,
             coalesce(coalesce(u.used_minor + u.reserved_minor, 0) + c.minor > c.cap_minor, false)
               OR coalesce(coalesce(u.used_count + u.reserved_count, 0) + 1 > c.cap_count, false) AS broken
        FROM unnest(c_item, c_shard, c_subject, c_round, c_counter, c_start, c_minor, c_cap_minor, c_cap_count, c_holds, c_enforced)
             WITH ORDINALITY AS c (item, shard, subject, round, counter, start, minor, cap_minor, cap_count, holds, enforced, n)
        LEFT JOIN usage u ON u.shard = c.shard AND u.subject = c.subject AND u.counter = c.counter AND u.window_start = c.start
       WHERE c.round = v_round
    ), judged AS (
      SELECT room.*, holds AND NOT (enforced AND bool_or(broken) OVER (PARTITION BY item)) AS taken_now FROM room
    ), added AS (
      UPDATE usage u SET reserved_minor = u.reserved_minor + j.minor, reserved_count = u.reserved_count + 1
        FROM judged j WHERE u.ctid = j.place AND u.shard = j.shard AND j.taken_now
    ), opened AS (
      INSERT INTO usage (shard, subject, counter, window_start, used_minor, reserved_minor, used_count, reserved_count)
      SELECT shard, subject, counter, start, 0, minor, 0, 1 FROM judged WHERE taken_now AND place IS NULL
    ), told AS (
      SELECT item, string_agg(used_minor || ':' || reserved_minor + CASE WHEN taken_now THEN minor ELSE 0 END || ':'
                              || taken + taken_now::integer || ':' || broken::integer, ',' ORDER BY n) AS usage
        FROM judged GROUP BY item
    )
    SELECT array_agg(item), array_agg(usage) INTO v_items, v_texts FROM told;
    FOR i IN 1 .. coalesce(cardinality(v_items), 0) LOOP
      v_usage[v_items[i]] := v_texts[i];
    END LOOP;
  END LOOP;

  -- Numbers, in the items' order (memory only).
  FOR i IN 1 .. cardinality(v_heads) LOOP
    v_next[v_heads[i] + 1] := v_last[i];
  END LOOP;
  FOR i IN 1 .. cardinality(p_shard) LOOP
    IF v_verdict[i] IS NULL THEN
      v_next[p_shard[i] + 1] := v_next[p_shard[i] + 1] + 1;
      v_seq[i] := v_next[p_shard[i] + 1];
    END IF;
  END LOOP;
  FOR i IN 1 .. cardinality(v_heads) LOOP
    v_last[i] := v_next[v_heads[i] + 1];
  END LOOP;

  RETURN QUERY
  WITH decided AS (
    SELECT i.*, strpos(i.usage || ',', ':1,') > 0 AS refused
      FROM unnest(v_verdict, v_usage, v_seq, p_shard, p_subject, p_caller, p_key, p_digest, p_policy, p_standing, p_decision, p_service, p_outcome,
                  p_computed, p_enforced, p_hold_seconds, p_minor, p_currency, p_reference, p_channel, p_counters, p_salt, p_details)
           WITH ORDINALITY AS i (verdict, usage, seq, shard, subject, caller, key, digest, policy, standing, decision, service, outcome,
                  computed, enforced, hold_seconds, minor, currency, reference, channel, counters, salt, details, n)
     WHERE i.verdict IS NULL
  ), bound AS (
    SELECT d.*, CASE WHEN refused AND enforced THEN 'DENY' ELSE outcome END AS final,
           CASE WHEN hold_seconds IS NOT NULL AND NOT (refused AND enforced) THEN v_at + make_interval(secs => hold_seconds) END AS expires_at
      FROM decided d
  ), held AS (
    INSERT INTO reservations (shard, reservation, subject, caller, service, state, currency, amount_minor, payment_reference, channel, counters, expires_at)
    SELECT shard, decision, subject, caller, service, 'RESERVED', currency, minor, reference, channel, counters::json, expires_at
      FROM bound WHERE expires_at IS NOT NULL
  ), saved AS (
    INSERT INTO decisions (shard, seq, at, decision, subject, caller, key, digest, service, outcome, computed, policy_version,
                           standing_version, expires_at, details, usage, salt, commitment)
    SELECT shard, seq, v_at, decision, subject, caller, key, digest, service, final, CASE WHEN refused THEN 'DENY' ELSE computed END, policy,
           standing, expires_at, details, usage, salt,
           sha256(uuid_send(salt) || convert_to('{"evaluation":' || details || ',"usage":"' || usage || '"}', 'UTF8'))
      FROM bound
  ), counted AS (
    UPDATE shard_heads h SET last_seq = c.last_seq, last_at = v_at
      FROM unnest(v_heads, v_last) AS c (shard, last_seq)
     WHERE h.shard = c.shard AND h.last_seq < c.last_seq
  )
  SELECT n::integer, 'DECIDED', seq, (extract(epoch FROM v_at) * 1000)::bigint, v_policy, usage FROM bound
  UNION ALL
  SELECT v.n::integer, v.verdict, NULL, (extract(epoch FROM v_at) * 1000)::bigint, v_policy, NULL
    FROM unnest(v_verdict) WITH ORDINALITY AS v (verdict, n) WHERE v.verdict IS NOT NULL;
END
$$;

-- What EVALUATE and headroom read: the same verdicts and usage as of now, without a lock and without a trace.
-- Holds that ran out are taken off the count; the next reservation frees them.
CREATE OR REPLACE FUNCTION inspect_batch(
  p_shard smallint[], p_subject uuid[], p_policy bigint[], p_standing bigint[], p_from timestamptz[], p_until timestamptz[],
  c_item integer[], c_shard smallint[], c_subject uuid[], c_counter text[], c_start timestamptz[],
  c_minor bigint[], c_cap_minor bigint[], c_cap_count bigint[]
) RETURNS TABLE (item integer, verdict text, at_ms bigint, policy_version bigint, usage text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
  v_usage text[] := array_fill(''::text, ARRAY[cardinality(p_shard)]);
  v_items integer[];
  v_texts text[];
  v_now   timestamptz := date_trunc('milliseconds', clock_timestamp());
BEGIN
  WITH room AS (
    SELECT c.item, c.n, c.minor, c.cap_minor, c.cap_count, coalesce(u.used_minor, 0) AS used_minor,
           coalesce(u.reserved_minor, 0) - coalesce(x.minor, 0) AS reserved_minor,
           coalesce(u.used_count + u.reserved_count, 0) - coalesce(x.holds, 0) AS taken
      FROM unnest(c_item, c_shard, c_subject, c_counter, c_start, c_minor, c_cap_minor, c_cap_count)
           WITH ORDINALITY AS c (item, shard, subject, counter, start, minor, cap_minor, cap_count, n)
      LEFT JOIN usage u ON u.shard = c.shard AND u.subject = c.subject AND u.counter = c.counter AND u.window_start = c.start
      LEFT JOIN LATERAL (
        SELECT sum(r.amount_minor - r.confirmed_minor) AS minor, sum(r.transactions) AS holds
          FROM reservations r
         WHERE r.shard = c.shard AND r.subject = c.subject AND r.state = 'RESERVED' AND r.expires_at <= v_now
           AND (r.counters ->> c.counter)::timestamptz = c.start
      ) x ON true
  ), told AS (
    SELECT item, string_agg(used_minor || ':' || reserved_minor || ':' || taken || ':'
             || coalesce(used_minor + reserved_minor + minor > cap_minor OR taken + 1 > cap_count,
                         used_minor + reserved_minor + minor > cap_minor, taken + 1 > cap_count, false)::integer, ',' ORDER BY n) AS usage
      FROM room GROUP BY item
  )
  SELECT array_agg(item), array_agg(usage) INTO v_items, v_texts FROM told;
  FOR i IN 1 .. coalesce(cardinality(v_items), 0) LOOP
    v_usage[v_items[i]] := v_texts[i];
  END LOOP;

  RETURN QUERY
  WITH heads AS MATERIALIZED (
    SELECT shard, last_at, policy_version FROM shard_heads WHERE shard = ANY (p_shard)
  )
  SELECT i.n::integer,
         CASE WHEN i.policy <> h.policy_version OR s.version IS DISTINCT FROM i.standing
                OR greatest(v_now, h.last_at) < i.valid_from OR greatest(v_now, h.last_at) >= i.valid_until THEN 'STALE' ELSE 'SEEN' END,
         (extract(epoch FROM greatest(v_now, h.last_at)) * 1000)::bigint, h.policy_version, i.usage
    FROM unnest(v_usage, p_shard, p_subject, p_policy, p_standing, p_from, p_until)
         WITH ORDINALITY AS i (usage, shard, subject, policy, standing, valid_from, valid_until, n)
    JOIN heads h ON h.shard = i.shard
    LEFT JOIN standings s ON s.shard = i.shard AND s.subject = i.subject;
END
$$;
