-- Records that came at the same time meet what is known in one trip: the nonces of their requests are claimed in the transaction of their effect
-- (CONTRACT.md §2), their subjects are held, and everything by which each is judged is told by one statement for all of them.
--
-- The statements on the way of a record look up single rows by whole keys, whatever the planner believes of the tables: on tables that nobody
-- has analysed yet it read a table from end to end for each group (measured 2026-11-22, see libs/standing/README.md).

-- One order of locks: nonces, subjects, names, shard heads, each ascending. Nonces are handed over in order. What is read after the locks sees
-- what the holders before committed. A policy's ladder is told once, not with each subject.
CREATE OR REPLACE FUNCTION meet_records(p_participants text[], p_nonces text[], p_shards smallint[], p_refs uuid[]) RETURNS json LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_claimed json;
  v_held json;
BEGIN
  WITH claimed AS (
    INSERT INTO request_nonces (participant, nonce) SELECT * FROM unnest(p_participants, p_nonces) ON CONFLICT DO NOTHING
    RETURNING participant, nonce
  )
  SELECT json_agg(c) INTO v_claimed FROM claimed c;
  PERFORM FROM subjects s
    WHERE (s.shard, s.subject) IN (SELECT l.shard, l.subject FROM unnest(p_shards, p_refs) AS i (shard, ref)
                                     JOIN links l ON l.shard = i.shard AND l.ref = i.ref)
    ORDER BY s.shard, s.subject FOR NO KEY UPDATE;
  SELECT json_agg(json_build_object(
      'shard', f.shard, 'refs', f.refs, 'subject', f.subject, 'kind', s.kind, 'created_at', s.created_at, 'policy', h.policy_version,
      'links', (SELECT json_agg(l ORDER BY l.created_at, l.ref)
                  FROM (SELECT ref, participant_id, customer_reference, created_at, ended_at FROM links
                         WHERE shard = f.shard AND subject = f.subject) l),
      'in_force', (SELECT coalesce(json_agg(r ORDER BY r.as_of, r.iss, r.jti), '[]')
                     FROM (SELECT iss, jti, root_jti, as_of, valid_until, body FROM records_in_force
                            WHERE shard = f.shard AND subject = f.subject) r),
      'standing', (SELECT to_json(t)
                     FROM (SELECT version, score, scorecard, factors, judged, disputed, updated_at, next_change_at FROM standings
                            WHERE shard = f.shard AND subject = f.subject) t),
      'restrictions', (SELECT coalesce(json_agg(r ORDER BY r.starts_at, r.id), '[]')
                         FROM restrictions r WHERE r.shard = f.shard AND r.subject = f.subject AND r.lifted_at IS NULL)))
    INTO v_held
    FROM (SELECT l.shard, l.subject, array_agg(DISTINCT l.ref) AS refs
            FROM unnest(p_shards, p_refs) AS i (shard, ref) JOIN links l ON l.shard = i.shard AND l.ref = i.ref
           GROUP BY l.shard, l.subject) f
    JOIN subjects s ON s.shard = f.shard AND s.subject = f.subject
    JOIN shard_heads h ON h.shard = f.shard;
  RETURN json_build_object(
    'claimed', coalesce(v_claimed, '[]'),
    'held', coalesce(v_held, '[]'),
    'ladders', (SELECT coalesce(json_agg(l), '[]') FROM ladders l
                 WHERE l.policy_version IN (SELECT h.policy_version FROM shard_heads h WHERE h.shard = ANY (p_shards))));
END
$$;

ALTER FUNCTION hold_subject(smallint, uuid, uuid) SET enable_seqscan = off;
ALTER FUNCTION hold_subject(smallint, uuid, uuid) SET enable_bitmapscan = off;
ALTER FUNCTION hold_subject(smallint, uuid, uuid) SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION save_standings(jsonb) SET enable_seqscan = off;
ALTER FUNCTION save_standings(jsonb) SET enable_bitmapscan = off;
ALTER FUNCTION save_standings(jsonb) SET enable_hashjoin = off;
ALTER FUNCTION save_standings(jsonb) SET enable_mergejoin = off;
ALTER FUNCTION save_standings(jsonb) SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION drop_expired(jsonb) SET enable_seqscan = off;
ALTER FUNCTION drop_expired(jsonb) SET enable_bitmapscan = off;
ALTER FUNCTION drop_expired(jsonb) SET enable_hashjoin = off;
ALTER FUNCTION drop_expired(jsonb) SET enable_mergejoin = off;
ALTER FUNCTION drop_expired(jsonb) SET plan_cache_mode = force_generic_plan;
