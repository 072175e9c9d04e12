-- What was disclosed of a rating under a consent (CONTRACT.md §3): each row is one use of `consent_uses`, on the subject's shard.
-- Lock order: consents and their budgets, threshold answers by (shard, subject, participant), shard heads.

-- From a row the very same answer can be given again: to a bank whose reply was lost, and to whoever must know what was told. The fact holds
-- SHA-256(salt || JCS(content)) only; the salts of a credential's claims are made from `seed`. Its place in a status list follows from `fact_seq`.
CREATE TABLE disclosures (
  shard            smallint    NOT NULL,
  consent          uuid        NOT NULL,
  n                integer     NOT NULL,
  subject          uuid        NOT NULL,
  link             uuid        NOT NULL,
  participant_id   text        NOT NULL,
  -- The caller's Idempotency-Key, and SHA-256 of what came with it.
  idempotency_key  text,
  digest           text        NOT NULL,
  standing_version bigint      NOT NULL,
  at               timestamptz NOT NULL,
  keep_until       timestamptz NOT NULL,
  -- As text, in the order it was told: what is made from it again must be the same to the byte.
  content          json        NOT NULL,
  salt             text        NOT NULL,
  seed             text        NOT NULL,
  -- The public key that the credential is bound to; none for the answer to a threshold.
  holder_key       json,
  fact_seq         bigint      NOT NULL,
  CONSTRAINT disclosures_pkey PRIMARY KEY (shard, consent, n),
  CONSTRAINT disclosures_fact_key UNIQUE (shard, fact_seq)
);
-- No foreign key to consent_uses: a row is written by the statement that writes its use, and the check would lock and rewrite that use.
CREATE UNIQUE INDEX disclosures_one_per_key ON disclosures (shard, consent, idempotency_key) WHERE idempotency_key IS NOT NULL;
REVOKE UPDATE, DELETE, TRUNCATE ON disclosures FROM tallystick_app;

-- The one threshold that a participant may know the answer to for a subject, whatever the purpose and the consent, up to `bound_until`.
CREATE TABLE threshold_answers (
  shard          smallint NOT NULL,
  subject        uuid     NOT NULL,
  participant_id text     NOT NULL,
  at_least       integer,
  answer         text     CONSTRAINT threshold_answers_known CHECK (answer IN ('Y', 'N', 'NA')),
  -- Up to here the same answer is given; up to `bound_until` no other threshold is answered.
  replay_until   timestamptz,
  bound_until    timestamptz,
  CONSTRAINT threshold_answers_pkey PRIMARY KEY (shard, subject, participant_id),
  CONSTRAINT threshold_answers_is_whole CHECK ((at_least IS NULL) = (answer IS NULL) AND (at_least IS NULL) = (replay_until IS NULL)
    AND (at_least IS NULL) = (bound_until IS NULL))
) WITH (fillfactor = 80);
REVOKE DELETE, TRUNCATE ON threshold_answers FROM tallystick_app;

-- With this the places of credentials in status lists are drawn: nobody without it can tell a place from the number of its fact.
CREATE TABLE status_list_secrets (
  shard  smallint NOT NULL,
  secret uuid     NOT NULL,
  CONSTRAINT status_list_secrets_pkey PRIMARY KEY (shard)
);
INSERT INTO status_list_secrets (shard, secret) SELECT shard, gen_random_uuid() FROM shard_heads;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON status_list_secrets FROM tallystick_app;

-- Holds the answers of these pairs to the end of the transaction. The locks come first, in a statement of their own: what is read after
-- they have waited is what the holders before committed.
CREATE FUNCTION hold_threshold_answers(p_shards smallint[], p_subjects uuid[], p_participants text[]) RETURNS SETOF threshold_answers
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO threshold_answers (shard, subject, participant_id)
  SELECT DISTINCT i.shard, i.subject, i.participant_id FROM unnest(p_shards, p_subjects, p_participants) AS i (shard, subject, participant_id)
   ORDER BY i.shard, i.subject, i.participant_id
  ON CONFLICT DO NOTHING;
  PERFORM FROM threshold_answers t
    JOIN (SELECT DISTINCT * FROM unnest(p_shards, p_subjects, p_participants) AS i (shard, subject, participant_id)) i
      ON t.shard = i.shard AND t.subject = i.subject AND t.participant_id = i.participant_id
   ORDER BY t.shard, t.subject, t.participant_id FOR NO KEY UPDATE OF t;
  RETURN QUERY
    SELECT t.* FROM threshold_answers t
      JOIN (SELECT DISTINCT * FROM unnest(p_shards, p_subjects, p_participants) AS i (shard, subject, participant_id)) i
        ON t.shard = i.shard AND t.subject = i.subject AND t.participant_id = i.participant_id;
END
$$;

-- Saves what was disclosed, after its facts and uses, and the answers that were given to thresholds.
CREATE FUNCTION save_disclosures(p json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO disclosures (shard, consent, n, subject, link, participant_id, idempotency_key, digest, standing_version, at, keep_until,
    content, salt, seed, holder_key, fact_seq)
  SELECT * FROM json_to_recordset(p -> 'disclosures') AS d (shard smallint, consent uuid, n integer, subject uuid, link uuid,
    participant_id text, idempotency_key text, digest text, standing_version bigint, at timestamptz, keep_until timestamptz, content json,
    salt text, seed text, holder_key json, fact_seq bigint);
  UPDATE threshold_answers t
     SET at_least = a.at_least, answer = a.answer, replay_until = a.replay_until, bound_until = a.bound_until
    FROM json_to_recordset(p -> 'answers') AS a (shard smallint, subject uuid, participant_id text, at_least integer, answer text,
      replay_until timestamptz, bound_until timestamptz)
   WHERE t.shard = a.shard AND t.subject = a.subject AND t.participant_id = a.participant_id;
END
$$;
