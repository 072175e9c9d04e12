-- Records that came at the same time are taken together: a fixed small number of statements for all of them (libs/standing/src/together).
-- One order of locks wherever records are accepted: subjects in ascending order, then names in ascending order, then shard heads.

-- Holds the subjects of these links, in one order, and tells everything by which each is judged. The locks come first, in a statement of
-- their own: what is read after it has waited sees what the holder before it committed.
CREATE OR REPLACE FUNCTION hold_subjects(p_shards smallint[], p_refs uuid[])
RETURNS TABLE (subject_shard smallint, refs uuid[], held json) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM subjects s
    WHERE (s.shard, s.subject) IN (SELECT l.shard, l.subject FROM unnest(p_shards, p_refs) AS i (shard, ref)
                                     JOIN links l ON l.shard = i.shard AND l.ref = i.ref)
    ORDER BY s.shard, s.subject FOR NO KEY UPDATE;
  RETURN QUERY
    SELECT f.shard, f.refs, hold_subject(f.shard, NULL, f.subject)
      FROM (SELECT l.shard, l.subject, array_agg(DISTINCT l.ref) AS refs
              FROM unnest(p_shards, p_refs) AS i (shard, ref) JOIN links l ON l.shard = i.shard AND l.ref = i.ref
             GROUP BY l.shard, l.subject) f;
END
$$;

-- Holds the subject of a record's link, then claims the record's names on its issuer's shard; a concurrent claim of them is waited for. What
-- `meet_record` did, with the locks in the order of all others.
CREATE OR REPLACE FUNCTION hold_and_claim(
  p_shard smallint, p_iss text, p_jti uuid, p_seq bigint, p_payload_digest bytea, p_subject_shard smallint, p_ref uuid
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_held json := hold_subject(p_subject_shard, p_ref, NULL);
  v_known bytea;
BEGIN
  INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref)
  VALUES (p_shard, p_iss, p_jti, p_seq, p_payload_digest, p_subject_shard, p_ref) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    RETURN json_build_object('outcome', 'claimed', 'held', v_held);
  END IF;
  SELECT payload_digest INTO v_known FROM record_identities WHERE shard = p_shard AND iss = p_iss AND jti = p_jti;
  IF NOT FOUND THEN
    RETURN json_build_object('outcome', 'seq_used');
  END IF;
  RETURN json_build_object('outcome', 'known', 'payload_digest', encode(v_known, 'hex'));
END
$$;

-- Saves judged standings, of each subject the last; every version it had on the way, every restriction imposed and lifted, and what the
-- banks are to hear. A restriction may be imposed and lifted in one go.
CREATE OR REPLACE FUNCTION save_standings(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE standings t
     SET version = s.version, score = s.score, scorecard = s.scorecard, factors = s.factors, judged = s.judged, updated_at = s.updated_at,
         next_change_at = s.next_change_at
    FROM jsonb_to_recordset(p -> 'standings') AS s (shard smallint, subject uuid, version bigint, score integer, scorecard text, factors jsonb,
           judged jsonb, updated_at timestamptz, next_change_at timestamptz)
   WHERE t.shard = s.shard AND t.subject = s.subject;
  IF p ? 'versions' THEN
    INSERT INTO standing_versions (shard, subject, version, at, content, salt, cause_iss, cause_jti, fact_seq)
    SELECT * FROM jsonb_to_recordset(p -> 'versions') AS v (shard smallint, subject uuid, version bigint, at timestamptz, content jsonb,
      salt text, cause_iss text, cause_jti uuid, fact_seq bigint);
  END IF;
  IF p ? 'imposed' THEN
    INSERT INTO restrictions (shard, subject, id, step, services, limit_percent, limit_minor, currency, reason_code, reason_text, cause_iss,
      cause_jti, evidence_digest, evidence_reference, ladder, rung, cure_code, cure_text, told, starts_at, ends_at, appeal_until)
    SELECT * FROM jsonb_to_recordset(p -> 'imposed') AS i (shard smallint, subject uuid, id uuid, step text, services text[],
      limit_percent smallint, limit_minor bigint, currency text, reason_code text, reason_text text, cause_iss text, cause_jti uuid,
      evidence_digest text, evidence_reference text, ladder text, rung text, cure_code text, cure_text text, told uuid[],
      starts_at timestamptz, ends_at timestamptz, appeal_until timestamptz);
  END IF;
  IF p ? 'lifted' THEN
    UPDATE restrictions r SET lifted_at = l.at, lifted_why = l.why
      FROM jsonb_to_recordset(p -> 'lifted') AS l (shard smallint, subject uuid, id uuid, at timestamptz, why text)
     WHERE r.shard = l.shard AND r.subject = l.subject AND r.id = l.id AND r.lifted_at IS NULL;
  END IF;
  IF p ? 'events' THEN
    PERFORM add_events(p -> 'events');
  END IF;
END
$$;

-- Forgets what is past its validity among the records in force of judged standings, as of the moment each was judged.
CREATE OR REPLACE FUNCTION drop_expired(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM records_in_force f
   USING jsonb_to_recordset(p -> 'standings') AS s (shard smallint, subject uuid, updated_at timestamptz)
   WHERE f.shard = s.shard AND f.subject = s.subject AND f.valid_until <= s.updated_at;
END
$$;

-- Keeps records that only add: each as received, and as it counts from now on.
CREATE OR REPLACE FUNCTION keep_records(
  p_shards smallint[], p_subjects uuid[], p_refs uuid[], p_iss text[], p_jtis uuid[], p_seqs bigint[], p_kinds text[],
  p_issued_at timestamptz[], p_payload_digests bytea[], p_jws bytea[], p_accepted_at timestamptz[], p_fact_seqs bigint[], p_receipts text[],
  p_as_of timestamptz[], p_valid_until timestamptz[], p_bodies jsonb[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO records (shard, subject, ref, iss, jti, seq, kind, issued_at, payload_digest, jws, accepted_at, fact_seq, receipt)
  SELECT * FROM unnest(p_shards, p_subjects, p_refs, p_iss, p_jtis, p_seqs, p_kinds, p_issued_at, p_payload_digests, p_jws, p_accepted_at,
                       p_fact_seqs, p_receipts);
  INSERT INTO records_in_force (shard, subject, iss, jti, root_jti, kind, as_of, valid_until, body)
  SELECT i.shard, i.subject, i.iss, i.jti, i.jti, i.kind, i.as_of, i.valid_until, i.body
    FROM unnest(p_shards, p_subjects, p_iss, p_jtis, p_kinds, p_as_of, p_valid_until, p_bodies)
         AS i (shard, subject, iss, jti, kind, as_of, valid_until, body);
END
$$;
