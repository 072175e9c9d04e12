-- Lines of a batch are saved by one call, and touch as few pages as can be that nothing else touches: with millions of records stored, what a line
-- costs is above all the pages that it alone changes after a checkpoint (libs/records/README.md).

-- Subjects that lines of a batch were about, until they are judged: appended to in time order, where the mark on `standings` moved a whole row
-- and its place in two indexes. `seq` is the last of the facts that mark it.
CREATE TABLE standings_marked (
  shard   smallint NOT NULL,
  seq     bigint   NOT NULL,
  subject uuid     NOT NULL,
  CONSTRAINT standings_marked_pkey PRIMARY KEY (shard, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
REVOKE UPDATE, TRUNCATE ON standings_marked FROM tallystick_app;

-- A jti is used once by an issuer, which `record_identities` sees to; here it only finds the record. It is a UUIDv7, so this index grows at its
-- end, where one that began with the link touched a page of its own with every record. The key of the table is (shard, fact_seq).
CREATE INDEX records_by_jti ON records (shard, jti);
ALTER TABLE records DROP CONSTRAINT records_pkey;

-- That a record was accepted is found by its record, which stands in an index by subject already; only what else happened needs this one.
CREATE INDEX facts_of_subject ON facts (shard, subject, seq) WHERE subject IS NOT NULL AND kind <> 'record.accepted';
DROP INDEX facts_by_subject;

-- A line of a batch as it is saved. `nth`: of the lines of its shard, from 1. `body`: what counts now; `fact`: what the ledger says of it.
CREATE TYPE batch_line AS (
  shard          smallint,
  nth            integer,
  subject        uuid,
  ref            uuid,
  jti            uuid,
  seq            bigint,
  kind           text,
  issued_at      timestamptz,
  payload_digest bytea,
  jws            bytea,
  salt           bytea,
  line_index     bigint,
  as_of          timestamptz,
  valid_until    timestamptz,
  body           text,
  fact           text
);

-- Holds the subjects of these links, in one order, and tells what a line needs to know of each. What is read after the locks sees what the
-- holders before committed.
CREATE FUNCTION hold_links(p_shards smallint[], p_refs uuid[])
RETURNS TABLE (shard smallint, ref uuid, subject uuid, participant_id text, created_at timestamptz, ended_at timestamptz, kind text,
               subject_created_at timestamptz, in_force bigint) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM subjects s
    WHERE (s.shard, s.subject) IN (SELECT l.shard, l.subject FROM unnest(p_shards, p_refs) AS i (shard, ref)
                                     JOIN links l ON l.shard = i.shard AND l.ref = i.ref)
    ORDER BY s.shard, s.subject FOR NO KEY UPDATE;
  RETURN QUERY
    SELECT l.shard, l.ref, l.subject, l.participant_id, l.created_at, l.ended_at, s.kind, s.created_at,
           (SELECT count(*) FROM records_in_force f WHERE f.shard = l.shard AND f.subject = l.subject AND f.iss = l.participant_id)
      FROM unnest(p_shards, p_refs) AS i (shard, ref)
      JOIN links l ON l.shard = i.shard AND l.ref = i.ref
      JOIN subjects s ON s.shard = l.shard AND s.subject = l.subject;
END
$$;

-- Saves what became of lines that only add: progress, names, facts, records, what counts now, and marks. Answers NAME_TAKEN where one of their
-- names is used (then nothing of the transaction may be kept), LEASE_LOST where somebody else works on the batch, else ADDED. The order of locks
-- is everybody's: subjects are held, then names in ascending order, then heads.
CREATE FUNCTION add_lines(
  p_shard smallint, p_batch uuid, p_epoch integer, p_next_line bigint, p_next_byte bigint, p_counts bigint[], p_lease_ms integer,
  p_sealed boolean, p_iss text, p_heads smallint[], p_head_counts integer[], p_lines batch_line[]
) RETURNS text LANGUAGE plpgsql SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  UPDATE record_batches
     SET next_line = p_next_line, next_byte = p_next_byte, accepted = accepted + p_counts[1], repeated = repeated + p_counts[2],
         refused = refused + p_counts[3], leased_until = clock_timestamp() + p_lease_ms * interval '1 ms'
   WHERE shard = p_shard AND batch = p_batch AND epoch = p_epoch AND state = 'PROCESSING';
  IF NOT FOUND THEN
    RETURN 'LEASE_LOST';
  END IF;
  BEGIN
    INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref)
    SELECT p_shard, p_iss, i.jti, i.seq, i.payload_digest, i.shard, i.ref FROM unnest(p_lines) i ORDER BY i.jti;
  EXCEPTION WHEN unique_violation THEN
    RETURN 'NAME_TAKEN';
  END;
  PERFORM FROM shard_heads h WHERE h.shard = ANY (p_heads) ORDER BY h.shard FOR NO KEY UPDATE;
  -- All heads are held when time is read; a shard's own never runs backwards.
  WITH heads AS MATERIALIZED (
    UPDATE shard_heads h
       SET last_seq = h.last_seq + c.count, last_at = greatest(date_trunc('milliseconds', clock_timestamp()), h.last_at)
      FROM unnest(p_heads, p_head_counts) AS c (shard, count)
     WHERE h.shard = c.shard
    RETURNING h.shard, h.last_seq - c.count AS seq, h.last_at AS at
  ), numbered AS MATERIALIZED (
    SELECT i.*, h.seq + i.nth AS fact_seq, h.at FROM unnest(p_lines) i JOIN heads h ON h.shard = i.shard
  ), saved AS (
    INSERT INTO facts (shard, seq, at, kind, subject, participant, body)
    SELECT n.shard, n.fact_seq, n.at, 'record.accepted', n.subject, p_iss, n.fact FROM numbered n
  ), kept AS (
    INSERT INTO records (shard, subject, ref, iss, jti, seq, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, salt, batch, line_index)
    SELECT n.shard, n.subject, n.ref, p_iss, n.jti, n.seq, n.kind, n.issued_at, n.payload_digest, n.jws, n.at, n.fact_seq, n.salt,
           CASE WHEN p_sealed THEN p_batch END, n.line_index
      FROM numbered n
  ), counting AS (
    INSERT INTO records_in_force (shard, subject, iss, jti, root_jti, kind, as_of, valid_until, body)
    SELECT n.shard, n.subject, p_iss, n.jti, n.jti, n.kind, n.as_of, n.valid_until, n.body::jsonb FROM numbered n
  )
  INSERT INTO standings_marked (shard, seq, subject)
  SELECT n.shard, max(n.fact_seq), n.subject FROM numbered n GROUP BY n.shard, n.subject;
  RETURN 'ADDED';
END
$$;

-- Holds subjects whose standing is to be judged anew, in one order, takes their marks away, and tells everything by which each is judged as
-- `meet_records` tells it. What is read after the locks sees what the holders before committed.
CREATE FUNCTION hold_due(p_shards smallint[], p_subjects uuid[], p_mark_shards smallint[], p_marks bigint[]) RETURNS json LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_marked json;
  v_held json;
BEGIN
  PERFORM FROM subjects s
    WHERE (s.shard, s.subject) IN (SELECT i.shard, i.subject FROM unnest(p_shards, p_subjects) AS i (shard, subject))
    ORDER BY s.shard, s.subject FOR NO KEY UPDATE;
  WITH taken AS (
    DELETE FROM standings_marked m USING unnest(p_mark_shards, p_marks) AS i (shard, seq)
     WHERE m.shard = i.shard AND m.seq = i.seq RETURNING m.subject
  )
  SELECT json_agg(DISTINCT t.subject) INTO v_marked FROM taken t;
  SELECT json_agg(json_build_object(
      'shard', s.shard, 'subject', s.subject, 'kind', s.kind, 'created_at', s.created_at, 'policy', h.policy_version, 'refs', '[]'::json,
      'links', (SELECT coalesce(json_agg(l ORDER BY l.created_at, l.ref), '[]')
                  FROM (SELECT ref, participant_id, customer_reference, created_at, ended_at FROM links
                         WHERE shard = s.shard AND subject = s.subject) l),
      'in_force', (SELECT coalesce(json_agg(r ORDER BY r.as_of, r.iss, r.jti), '[]')
                     FROM (SELECT iss, jti, root_jti, as_of, valid_until, body FROM records_in_force
                            WHERE shard = s.shard AND subject = s.subject) r),
      'standing', (SELECT to_json(t)
                     FROM (SELECT version, score, scorecard, factors, judged, disputed, updated_at, next_change_at FROM standings
                            WHERE shard = s.shard AND subject = s.subject) t),
      'restrictions', (SELECT coalesce(json_agg(r ORDER BY r.starts_at, r.id), '[]')
                         FROM restrictions r WHERE r.shard = s.shard AND r.subject = s.subject AND r.lifted_at IS NULL)))
    INTO v_held
    FROM unnest(p_shards, p_subjects) AS i (shard, subject)
    JOIN subjects s ON s.shard = i.shard AND s.subject = i.subject
    JOIN shard_heads h ON h.shard = s.shard;
  RETURN json_build_object(
    'marked', coalesce(v_marked, '[]'),
    'held', coalesce(v_held, '[]'),
    'ladders', (SELECT coalesce(json_agg(l), '[]') FROM ladders l
                 WHERE l.policy_version IN (SELECT h.policy_version FROM shard_heads h WHERE h.shard = ANY (p_shards))));
END
$$;
