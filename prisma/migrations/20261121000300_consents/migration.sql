-- What a subject allowed: subjects, and the links that let one participant speak about one subject.
-- Lock order of every transaction that changes what is known of a subject: its row in `subjects` (FOR NO KEY UPDATE),
-- then the shard's head row, then the rest. Decisions take the head row and never this one, so the two cannot deadlock.

CREATE TABLE subjects (
  shard      smallint    NOT NULL,
  subject    uuid        NOT NULL,
  kind       text        NOT NULL CONSTRAINT subjects_kind_known CHECK (kind IN ('INDIVIDUAL', 'MERCHANT')),
  created_at timestamptz NOT NULL,
  CONSTRAINT subjects_pkey PRIMARY KEY (shard, subject)
);

-- One row per Idempotency-Key of `POST /v1/subjects`, on the shard of (caller, key).
CREATE TABLE subject_requests (
  shard           smallint    NOT NULL,
  caller          text        NOT NULL,
  idempotency_key text        NOT NULL,
  kind            text        NOT NULL,
  subject_shard   smallint    NOT NULL,
  subject         uuid        NOT NULL,
  created_at      timestamptz NOT NULL,
  CONSTRAINT subject_requests_pkey PRIMARY KEY (shard, caller, idempotency_key)
);
REVOKE UPDATE, DELETE, TRUNCATE ON subject_requests FROM tallystick_app;

-- `ref` is the random pairwise reference a participant knows the subject by (the `sub` of its records).
CREATE TABLE links (
  shard              smallint    NOT NULL,
  ref                uuid        NOT NULL,
  subject            uuid        NOT NULL,
  participant_id     text        NOT NULL,
  customer_reference text,
  state              text        NOT NULL CONSTRAINT links_state_known CHECK (state IN ('ACTIVE', 'ENDED')),
  created_at         timestamptz NOT NULL,
  ended_at           timestamptz,
  CONSTRAINT links_pkey PRIMARY KEY (shard, ref),
  CONSTRAINT links_subject_fkey FOREIGN KEY (shard, subject) REFERENCES subjects (shard, subject),
  CONSTRAINT links_end_has_time CHECK ((state = 'ENDED') = (ended_at IS NOT NULL))
);
CREATE INDEX links_by_subject ON links (shard, subject);
CREATE UNIQUE INDEX links_one_active ON links (shard, subject, participant_id) WHERE state = 'ACTIVE';
