-- Consents: what a subject allows one participant to read (CONTRACT.md §4). On the subject's shard.
-- Lock order: subjects row, consents by (shard, id), their budgets, shard heads. Reading under a consent takes no subjects row.

-- The state of now. Whoever holds the row is alone in using or changing the consent.
CREATE TABLE consents (
  shard             smallint    NOT NULL,
  id                uuid        NOT NULL,
  subject           uuid        NOT NULL,
  link              uuid        NOT NULL,
  participant_id    text        NOT NULL,
  purpose           text        NOT NULL,
  -- Claims of the rating, or a threshold of the score.
  claims            text[],
  threshold         integer,
  fetch_type        text        NOT NULL CONSTRAINT consents_fetch_known CHECK (fetch_type IN ('ONETIME', 'PERIODIC')),
  fetch_count       integer,
  fetch_every       text,
  data_life_seconds integer     NOT NULL,
  not_before        timestamptz NOT NULL,
  expires_at        timestamptz NOT NULL,
  state             text        NOT NULL
    CONSTRAINT consents_state_known CHECK (state IN ('REQUESTED', 'ACTIVE', 'PAUSED', 'REJECTED', 'REVOKED', 'EXPIRED', 'CONSUMED')),
  version           integer     NOT NULL,
  changed_by        text        NOT NULL,
  requested_at      timestamptz NOT NULL,
  changed_at        timestamptz NOT NULL,
  uses              integer     NOT NULL DEFAULT 0,
  -- The calendar period of the last use, and the uses in it.
  period_start      text,
  period_uses       integer     NOT NULL DEFAULT 0,
  CONSTRAINT consents_pkey PRIMARY KEY (shard, id),
  CONSTRAINT consents_link_fkey FOREIGN KEY (shard, link) REFERENCES links (shard, ref),
  CONSTRAINT consents_scope_is_one CHECK ((claims IS NULL) <> (threshold IS NULL)),
  CONSTRAINT consents_fetch_is_whole CHECK ((fetch_type = 'PERIODIC') = (fetch_count IS NOT NULL AND fetch_every IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX consents_by_subject ON consents (shard, subject, id);
CREATE INDEX consents_by_participant ON consents (shard, participant_id, id);
CREATE INDEX consents_live ON consents (shard, link) WHERE state IN ('REQUESTED', 'ACTIVE', 'PAUSED');
CREATE INDEX consents_expiring ON consents (shard, expires_at) WHERE state IN ('REQUESTED', 'ACTIVE', 'PAUSED');
REVOKE UPDATE, DELETE, TRUNCATE ON consents FROM tallystick_app;
GRANT UPDATE (claims, threshold, fetch_type, fetch_count, fetch_every, data_life_seconds, expires_at, state, version, changed_by, changed_at, uses,
  period_start, period_uses) ON consents TO tallystick_app;

-- Every version, with what its artefact says. The fact holds SHA-256(salt || JCS(content)) only.
CREATE TABLE consent_versions (
  shard    smallint    NOT NULL,
  consent  uuid        NOT NULL,
  version  integer     NOT NULL,
  happened text        NOT NULL,
  at       timestamptz NOT NULL,
  via      text        NOT NULL,
  content  jsonb       NOT NULL,
  salt     text        NOT NULL,
  fact_seq bigint      NOT NULL,
  CONSTRAINT consent_versions_pkey PRIMARY KEY (shard, consent, version),
  CONSTRAINT consent_versions_consent_fkey FOREIGN KEY (shard, consent) REFERENCES consents (shard, id)
);
REVOKE UPDATE, DELETE, TRUNCATE ON consent_versions FROM tallystick_app;

-- Reads of one subject by one participant for one purpose, whatever the consent: in the local day and month of the last one.
CREATE TABLE consent_budgets (
  shard          smallint NOT NULL,
  subject        uuid     NOT NULL,
  participant_id text     NOT NULL,
  purpose        text     NOT NULL,
  day            text     NOT NULL DEFAULT '',
  day_calls      integer  NOT NULL DEFAULT 0,
  month          text     NOT NULL DEFAULT '',
  month_calls    integer  NOT NULL DEFAULT 0,
  CONSTRAINT consent_budgets_pkey PRIMARY KEY (shard, subject, participant_id, purpose)
) WITH (fillfactor = 80);
REVOKE DELETE, TRUNCATE ON consent_budgets FROM tallystick_app;

-- Every read, numbered per consent without a gap: who saw what, when, why.
CREATE TABLE consent_uses (
  shard          smallint    NOT NULL,
  consent        uuid        NOT NULL,
  n              integer     NOT NULL,
  subject        uuid        NOT NULL,
  participant_id text        NOT NULL,
  purpose        text        NOT NULL,
  version        integer     NOT NULL,
  claims         text[],
  threshold      integer,
  at             timestamptz NOT NULL,
  keep_until     timestamptz NOT NULL,
  fact_seq       bigint      NOT NULL,
  CONSTRAINT consent_uses_pkey PRIMARY KEY (shard, consent, n),
  CONSTRAINT consent_uses_fact_key UNIQUE (shard, subject, fact_seq),
  CONSTRAINT consent_uses_consent_fkey FOREIGN KEY (shard, consent) REFERENCES consents (shard, id)
);
REVOKE UPDATE, DELETE, TRUNCATE ON consent_uses FROM tallystick_app;

-- One row per Idempotency-Key of a participant's requests, on the participant's shard.
CREATE TABLE consent_requests (
  shard           smallint    NOT NULL,
  participant_id  text        NOT NULL,
  idempotency_key text        NOT NULL,
  digest          text        NOT NULL,
  consent_shard   smallint    NOT NULL,
  consent         uuid        NOT NULL,
  CONSTRAINT consent_requests_pkey PRIMARY KEY (shard, participant_id, idempotency_key)
);
REVOKE UPDATE, DELETE, TRUNCATE ON consent_requests FROM tallystick_app;

-- Holds consents and their budgets and tells them, with a time that is later than whatever was saved of them. The locks come first, in
-- statements of their own: what is read after they have waited is what the holders before committed. No clock of a process has a say.
CREATE FUNCTION hold_consents(p_shards smallint[], p_ids uuid[]) RETURNS TABLE (
  shard smallint, id uuid, subject uuid, link uuid, participant_id text, purpose text, claims text[], threshold integer, fetch_type text,
  fetch_count integer, fetch_every text, data_life_seconds integer, not_before timestamptz, expires_at timestamptz, state text, version integer,
  changed_by text, requested_at timestamptz, changed_at timestamptz, uses integer, period_start text, period_uses integer,
  day text, day_calls integer, month text, month_calls integer, held_at timestamptz
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_at timestamptz;
BEGIN
  PERFORM FROM consents c
    JOIN (SELECT DISTINCT i.shard, i.id FROM unnest(p_shards, p_ids) AS i (shard, id)) i ON c.shard = i.shard AND c.id = i.id
   ORDER BY c.shard, c.id FOR NO KEY UPDATE OF c;
  PERFORM FROM consent_budgets b
    JOIN (SELECT DISTINCT c.shard, c.subject, c.participant_id, c.purpose
            FROM unnest(p_shards, p_ids) AS i (shard, id) JOIN consents c ON c.shard = i.shard AND c.id = i.id) i
      ON b.shard = i.shard AND b.subject = i.subject AND b.participant_id = i.participant_id AND b.purpose = i.purpose
   ORDER BY b.shard, b.subject, b.participant_id, b.purpose FOR NO KEY UPDATE OF b;
  SELECT greatest(date_trunc('milliseconds', clock_timestamp()), max(h.last_at)) INTO v_at FROM shard_heads h WHERE h.shard = ANY (p_shards);
  RETURN QUERY
    SELECT c.shard, c.id, c.subject, c.link, c.participant_id, c.purpose, c.claims, c.threshold, c.fetch_type, c.fetch_count, c.fetch_every,
           c.data_life_seconds, c.not_before, c.expires_at, c.state, c.version, c.changed_by, c.requested_at, c.changed_at, c.uses,
           c.period_start, c.period_uses, b.day, b.day_calls, b.month, b.month_calls, greatest(v_at, c.changed_at)
      FROM (SELECT DISTINCT i.shard, i.id FROM unnest(p_shards, p_ids) AS i (shard, id)) i
      JOIN consents c ON c.shard = i.shard AND c.id = i.id
      JOIN consent_budgets b ON b.shard = c.shard AND b.subject = c.subject AND b.participant_id = c.participant_id AND b.purpose = c.purpose;
END
$$;

-- Saves reads and the counts after them; everything here is held.
CREATE FUNCTION save_consent_uses(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE consents c SET uses = n.uses, period_start = n.period_start, period_uses = n.period_uses
    FROM jsonb_to_recordset(p -> 'counted') AS n (shard smallint, id uuid, uses integer, period_start text, period_uses integer)
   WHERE c.shard = n.shard AND c.id = n.id;
  UPDATE consent_budgets b SET day = n.day, day_calls = n.day_calls, month = n.month, month_calls = n.month_calls
    FROM (SELECT DISTINCT ON (shard, subject, participant_id, purpose) *
            FROM jsonb_to_recordset(p -> 'counted') AS n (shard smallint, subject uuid, participant_id text, purpose text, day text,
              day_calls integer, month text, month_calls integer)) n
   WHERE b.shard = n.shard AND b.subject = n.subject AND b.participant_id = n.participant_id AND b.purpose = n.purpose;
  INSERT INTO consent_uses (shard, consent, n, subject, participant_id, purpose, version, claims, threshold, at, keep_until, fact_seq)
  SELECT * FROM jsonb_to_recordset(p -> 'uses') AS u (shard smallint, consent uuid, n integer, subject uuid, participant_id text, purpose text,
    version integer, claims text[], threshold integer, at timestamptz, keep_until timestamptz, fact_seq bigint);
END
$$;

-- Saves new versions of consents that are held, or the first version of new ones.
CREATE FUNCTION save_consent_versions(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
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
END
$$;
