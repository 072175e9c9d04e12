-- What people do about restrictions: subjects appeal, staff order. And the exchange's few calls: everything by which a subject is judged
-- is read in one, and everything that a judgement changes is written in one (libs/standing/src/adapters).

-- One appeal per restriction. What the subject wrote stays with the service that brought it; here is its digest.
CREATE TABLE restriction_appeals (
  shard           smallint    NOT NULL,
  subject         uuid        NOT NULL,
  restriction     uuid        NOT NULL,
  id              uuid        NOT NULL,
  caller          text        NOT NULL,
  idempotency_key text        NOT NULL,
  grounds_code    text        NOT NULL,
  evidence_digest text,
  opened_at       timestamptz NOT NULL,
  due_at          timestamptz NOT NULL,
  remind_at       timestamptz NOT NULL,
  reminded_at     timestamptz,
  state           text        NOT NULL CONSTRAINT restriction_appeals_state_known CHECK (state IN ('OPEN', 'UPHELD', 'OVERTURNED')),
  answered_at     timestamptz,
  CONSTRAINT restriction_appeals_pkey PRIMARY KEY (shard, subject, restriction),
  CONSTRAINT restriction_appeals_restriction_fkey FOREIGN KEY (shard, subject, restriction) REFERENCES restrictions (shard, subject, id),
  CONSTRAINT restriction_appeals_answer_has_time CHECK ((state = 'OPEN') = (answered_at IS NULL))
);
CREATE INDEX restriction_appeals_open ON restriction_appeals (shard, due_at) WHERE state = 'OPEN';
REVOKE UPDATE, DELETE, TRUNCATE ON restriction_appeals FROM tallystick_app;
GRANT UPDATE (reminded_at, state, answered_at) ON restriction_appeals TO tallystick_app;

-- What staff ordered, with the second person where one is needed.
CREATE TABLE restriction_orders (
  shard      smallint    NOT NULL,
  subject    uuid        NOT NULL,
  id         uuid        NOT NULL,
  key        text        NOT NULL,
  content    jsonb       NOT NULL,
  asked_by   text        NOT NULL,
  asked_at   timestamptz NOT NULL,
  state      text        NOT NULL CONSTRAINT restriction_orders_state_known CHECK (state IN ('WAITING', 'DONE', 'DECLINED')),
  decided_by text,
  decided_at timestamptz,
  CONSTRAINT restriction_orders_pkey PRIMARY KEY (shard, subject, id),
  CONSTRAINT restriction_orders_key UNIQUE (shard, subject, asked_by, key),
  CONSTRAINT restriction_orders_subject_fkey FOREIGN KEY (shard, subject) REFERENCES subjects (shard, subject),
  CONSTRAINT restriction_orders_four_eyes CHECK (decided_by <> asked_by)
);
CREATE INDEX restriction_orders_waiting ON restriction_orders (shard, asked_at) WHERE state = 'WAITING';
REVOKE UPDATE, DELETE, TRUNCATE ON restriction_orders FROM tallystick_app;
GRANT UPDATE (state, decided_by, decided_at) ON restriction_orders TO tallystick_app;

-- The ladders that policy versions bring, kept when a version becomes active; what is kept is never changed. A registry table, without a shard.
CREATE TABLE ladders (
  policy_version bigint NOT NULL CONSTRAINT ladders_pkey PRIMARY KEY,
  ladder         jsonb  NOT NULL
);
REVOKE UPDATE, DELETE, TRUNCATE ON ladders FROM tallystick_app;

-- Holds a subject, by a link's reference or by its own id, and tells everything by which it is judged. The lock comes first, in a
-- statement of its own: what is read after it has waited sees what the holder before it committed.
CREATE OR REPLACE FUNCTION hold_subject(p_shard smallint, p_ref uuid, p_subject uuid) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_subject subjects%ROWTYPE;
BEGIN
  IF p_ref IS NOT NULL THEN
    SELECT subject INTO p_subject FROM links WHERE shard = p_shard AND ref = p_ref;
  END IF;
  SELECT * INTO v_subject FROM subjects WHERE shard = p_shard AND subject = p_subject FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN json_build_object(
    'subject', v_subject.subject,
    'kind', v_subject.kind,
    'created_at', v_subject.created_at,
    'links', (SELECT coalesce(json_agg(l ORDER BY l.created_at, l.ref), '[]')
                FROM links l WHERE l.shard = p_shard AND l.subject = p_subject),
    'in_force', (SELECT coalesce(json_agg(f ORDER BY f.as_of, f.iss, f.jti), '[]')
                   FROM records_in_force f WHERE f.shard = p_shard AND f.subject = p_subject),
    'standing', (SELECT to_json(s) FROM standings s WHERE s.shard = p_shard AND s.subject = p_subject),
    'restrictions', (SELECT coalesce(json_agg(r ORDER BY r.starts_at, r.id), '[]')
                       FROM restrictions r WHERE r.shard = p_shard AND r.subject = p_subject AND r.lifted_at IS NULL),
    -- The ladder of the policy that the shard's head row demands; null where it brings none.
    'ladder', (SELECT l.ladder FROM shard_heads h JOIN ladders l ON l.policy_version = h.policy_version WHERE h.shard = p_shard)
  );
END
$$;

-- Claims the names of a record on its issuer's shard; a concurrent claim of the same names is waited for. New names: holds the subject.
CREATE OR REPLACE FUNCTION meet_record(
  p_shard smallint, p_iss text, p_jti uuid, p_seq bigint, p_payload_digest bytea, p_subject_shard smallint, p_ref uuid
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_known bytea;
BEGIN
  INSERT INTO record_identities (shard, iss, jti, seq, payload_digest, subject_shard, ref)
  VALUES (p_shard, p_iss, p_jti, p_seq, p_payload_digest, p_subject_shard, p_ref) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    RETURN json_build_object('outcome', 'claimed', 'held', hold_subject(p_subject_shard, p_ref, NULL));
  END IF;
  SELECT payload_digest INTO v_known FROM record_identities WHERE shard = p_shard AND iss = p_iss AND jti = p_jti;
  IF NOT FOUND THEN
    RETURN json_build_object('outcome', 'seq_used');
  END IF;
  RETURN json_build_object('outcome', 'known', 'payload_digest', encode(v_known, 'hex'));
END
$$;

-- Saves a judged standing: its state, its version, restrictions lifted and imposed, and what the banks are to hear.
CREATE OR REPLACE FUNCTION save_standing(p_shard smallint, p_subject uuid, p jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s jsonb := p -> 'standing';
  v jsonb := p -> 'version';
BEGIN
  UPDATE standings
     SET version = (s ->> 'version')::bigint, score = (s ->> 'score')::integer, scorecard = s ->> 'scorecard', factors = s -> 'factors',
         judged = s -> 'judged', updated_at = (s ->> 'updated_at')::timestamptz, next_change_at = (s ->> 'next_change_at')::timestamptz
   WHERE shard = p_shard AND subject = p_subject;
  IF v IS NOT NULL THEN
    INSERT INTO standing_versions (shard, subject, version, at, content, salt, cause_iss, cause_jti, fact_seq)
    VALUES (p_shard, p_subject, (s ->> 'version')::bigint, (v ->> 'at')::timestamptz, v -> 'content', v ->> 'salt', v ->> 'cause_iss',
            (v ->> 'cause_jti')::uuid, (v ->> 'fact_seq')::bigint);
  END IF;
  IF p ? 'lifted' THEN
    UPDATE restrictions r SET lifted_at = (s ->> 'updated_at')::timestamptz, lifted_why = l.why
      FROM jsonb_to_recordset(p -> 'lifted') AS l (id uuid, why text)
     WHERE r.shard = p_shard AND r.subject = p_subject AND r.id = l.id AND r.lifted_at IS NULL;
  END IF;
  IF p ? 'imposed' THEN
    INSERT INTO restrictions (shard, subject, id, step, services, limit_percent, limit_minor, currency, reason_code, reason_text, cause_iss,
      cause_jti, evidence_digest, evidence_reference, ladder, rung, cure_code, cure_text, told, starts_at, ends_at, appeal_until)
    SELECT p_shard, p_subject, i.*
      FROM jsonb_to_recordset(p -> 'imposed') AS i (id uuid, step text, services text[], limit_percent smallint, limit_minor bigint,
        currency text, reason_code text, reason_text text, cause_iss text, cause_jti uuid, evidence_digest text, evidence_reference text,
        ladder text, rung text, cure_code text, cure_text text, told uuid[], starts_at timestamptz, ends_at timestamptz,
        appeal_until timestamptz);
  END IF;
  IF p ? 'events' THEN
    PERFORM add_events(p -> 'events');
  END IF;
END
$$;

-- Queues what participants are to hear, each on the participant's shard.
CREATE OR REPLACE FUNCTION add_events(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (shard, participant_id, id, at, origin_shard, origin_seq, kind, subject_ref, body, restriction)
  SELECT * FROM jsonb_to_recordset(p) AS e (shard smallint, participant_id text, id uuid, at timestamptz, origin_shard smallint,
    origin_seq bigint, kind text, subject_ref uuid, body jsonb, restriction uuid);
END
$$;

-- Keeps an accepted record and what it changes among the records in force; forgets what is past its validity at `p_at`.
CREATE OR REPLACE FUNCTION keep_record(
  p_shard smallint, p_subject uuid, p jsonb, p_jws bytea, p_payload_digest bytea, p_at timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  a jsonb := p -> 'added';
BEGIN
  DELETE FROM records_in_force
   WHERE shard = p_shard AND subject = p_subject
     AND (valid_until <= p_at OR (iss = p ->> 'removed_iss' AND jti = (p ->> 'removed_jti')::uuid));
  IF a IS NOT NULL THEN
    INSERT INTO records_in_force (shard, subject, iss, jti, root_jti, kind, as_of, valid_until, body)
    VALUES (p_shard, p_subject, a ->> 'iss', (a ->> 'jti')::uuid, (a ->> 'root_jti')::uuid, a ->> 'kind', (a ->> 'as_of')::timestamptz,
            (a ->> 'valid_until')::timestamptz, a -> 'body');
  END IF;
  INSERT INTO records (shard, ref, iss, jti, seq, subject, kind, names, issued_at, payload_digest, jws, accepted_at, fact_seq, receipt)
  VALUES (p_shard, (p ->> 'ref')::uuid, p ->> 'iss', (p ->> 'jti')::uuid, (p ->> 'seq')::bigint, p_subject, p ->> 'kind',
          (p ->> 'names')::uuid, (p ->> 'issued_at')::timestamptz, p_payload_digest, p_jws, (p ->> 'accepted_at')::timestamptz,
          (p ->> 'fact_seq')::bigint, p ->> 'receipt');
END
$$;
