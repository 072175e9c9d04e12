-- As in 20261121000700_decisions, but a key is looked for between itself and itself. The first key from it on was nearly always another one, whose
-- row then had to be fetched to see whether it is there: a random page of all decisions ever made, more costly with every day (2026-11-22).
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
             -- Of a plain equality the planner may take any index that begins with the shard while there are few rows.
             (SELECT d.key FROM decisions d
               WHERE d.shard = i.shard AND d.subject = i.subject AND d.caller = i.caller AND d.key >= i.key AND d.key <= i.key
               ORDER BY d.key LIMIT 1) IS NOT NULL AS known,
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
