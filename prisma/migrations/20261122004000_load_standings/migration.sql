-- The standings that decisions are about to be made on, with the restrictions that are not lifted; who is unknown has no row. A function, so that
-- its plan is kept whatever the tables held when it was made: planning was a third of what a subject not lately seen cost (2026-11-22).
CREATE OR REPLACE FUNCTION load_standings(p_shard smallint[], p_subject uuid[])
RETURNS TABLE (
  shard smallint, subject uuid, kind text, version bigint, score integer, scorecard text, factors jsonb, disputed jsonb, restrictions json
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT s.shard, s.subject, s.kind, s.version, s.score, s.scorecard, s.factors, s.disputed,
         coalesce((SELECT json_agg(r ORDER BY r.starts_at, r.id)
                     FROM restrictions r WHERE r.shard = s.shard AND r.subject = s.subject AND r.lifted_at IS NULL), '[]')
    FROM unnest(p_shard, p_subject) AS i (shard, subject)
   CROSS JOIN LATERAL (SELECT * FROM standings s WHERE s.shard = i.shard AND s.subject = i.subject LIMIT 1) s;
END
$$;
