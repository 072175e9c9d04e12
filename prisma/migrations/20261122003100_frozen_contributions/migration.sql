-- What a participant itself furnished of a subject, as it counted when a consent with a threshold was granted to it: answers under that consent go by
-- this and not by what it furnishes afterwards, so that it cannot move the score and ask again. It ends with the consent.
CREATE TABLE frozen_contributions (
  shard    smallint    NOT NULL,
  consent  uuid        NOT NULL,
  at       timestamptz NOT NULL,
  -- Its own of `records_in_force`, and of `standings.disputed`.
  in_force jsonb       NOT NULL,
  disputed jsonb       NOT NULL,
  CONSTRAINT frozen_contributions_pkey PRIMARY KEY (shard, consent),
  CONSTRAINT frozen_contributions_consent_fkey FOREIGN KEY (shard, consent) REFERENCES consents (shard, id)
);
REVOKE UPDATE, TRUNCATE ON frozen_contributions FROM tallystick_app;

-- Freezes once: narrowing, pausing and resuming change nothing of it. What is over is forgotten.
CREATE FUNCTION freeze_contributions(p_shards smallint[], p_consents uuid[]) RETURNS void LANGUAGE sql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
  INSERT INTO frozen_contributions (shard, consent, at, in_force, disputed)
  SELECT c.shard, c.id, c.changed_at,
         (SELECT coalesce(jsonb_agg(r), '[]')
            FROM (SELECT iss, jti, root_jti, as_of, valid_until, body FROM records_in_force
                   WHERE shard = c.shard AND subject = c.subject AND iss = c.participant_id) r),
         (SELECT coalesce(jsonb_agg(d), '[]')
            FROM standings s, jsonb_array_elements(s.disputed) AS d
           WHERE s.shard = c.shard AND s.subject = c.subject AND d ->> 'iss' = c.participant_id)
    FROM unnest(p_shards, p_consents) AS i (shard, id)
    JOIN consents c ON c.shard = i.shard AND c.id = i.id
   WHERE c.threshold IS NOT NULL AND c.state IN ('ACTIVE', 'PAUSED')
  ON CONFLICT DO NOTHING;
  DELETE FROM frozen_contributions f
   USING unnest(p_shards, p_consents) AS i (shard, id)
    JOIN consents c ON c.shard = i.shard AND c.id = i.id
   WHERE f.shard = i.shard AND f.consent = i.id AND c.state NOT IN ('ACTIVE', 'PAUSED');
$$;

-- As before, then freezes: whichever release grants.
CREATE OR REPLACE FUNCTION save_consent_versions(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO consents AS c (shard, id, subject, link, participant_id, purpose, claims, threshold, fetch_type, fetch_count, fetch_every,
    data_life_seconds, not_before, expires_at, state, version, changed_by, requested_at, changed_at)
  SELECT * FROM jsonb_to_recordset(p) AS v (shard smallint, id uuid, subject uuid, link uuid, participant_id text, purpose text, claims text[],
    threshold integer, fetch_type text, fetch_count integer, fetch_every text, data_life_seconds integer, not_before timestamptz,
    expires_at timestamptz, state text, version integer, changed_by text, requested_at timestamptz, changed_at timestamptz)
  ON CONFLICT ON CONSTRAINT consents_pkey DO UPDATE
    SET claims = excluded.claims, threshold = excluded.threshold, fetch_type = excluded.fetch_type, fetch_count = excluded.fetch_count,
        fetch_every = excluded.fetch_every, data_life_seconds = excluded.data_life_seconds, expires_at = excluded.expires_at,
        state = excluded.state, version = excluded.version, changed_by = excluded.changed_by, changed_at = excluded.changed_at;
  INSERT INTO consent_versions (shard, consent, version, happened, at, via, content, salt, fact_seq)
  SELECT * FROM jsonb_to_recordset(p) AS v (shard smallint, id uuid, version integer, happened text, at timestamptz, via text, content jsonb,
    salt text, fact_seq bigint);
  INSERT INTO consent_budgets (shard, subject, participant_id, purpose)
  SELECT * FROM jsonb_to_recordset(p) AS v (shard smallint, subject uuid, participant_id text, purpose text) ON CONFLICT DO NOTHING;
  PERFORM freeze_contributions(array_agg(v.shard), array_agg(v.id)) FROM jsonb_to_recordset(p) AS v (shard smallint, id uuid);
END
$$;

-- Consents that were granted before: frozen from here on.
SELECT freeze_contributions(array_agg(shard), array_agg(id)) FROM consents WHERE threshold IS NOT NULL AND state IN ('ACTIVE', 'PAUSED');

-- Records that were accepted since the last version of these standings: a batch's lines that are judged now are among them.
CREATE FUNCTION records_since_version(p_shards smallint[], p_subjects uuid[]) RETURNS TABLE (subject uuid, iss text, jti uuid) LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan AS $$
  SELECT r.subject, r.iss, r.jti
    FROM unnest(p_shards, p_subjects) AS i (shard, subject)
    JOIN standings s ON s.shard = i.shard AND s.subject = i.subject
    JOIN standing_versions v ON v.shard = s.shard AND v.subject = s.subject AND v.version = s.version
    JOIN records r ON r.shard = s.shard AND r.subject = s.subject AND r.fact_seq > v.fact_seq
$$;
