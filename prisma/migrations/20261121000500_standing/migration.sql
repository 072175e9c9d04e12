-- What a subject may do now, how it came about, and what partners were told.
-- A standing or restriction changes only while its shard's head row is held: whoever holds the head row (a decision batch)
-- may read the version without locking the row. Order: subjects row, head row, standings row.

CREATE TABLE standings (
  shard          smallint    NOT NULL,
  subject        uuid        NOT NULL,
  kind           text        NOT NULL,
  version        bigint      NOT NULL,
  score          integer     NOT NULL CONSTRAINT standings_score_in_range CHECK (score BETWEEN 350 AND 950),
  scorecard      text        NOT NULL,
  factors        jsonb       NOT NULL,
  -- What the ladder made of each violation in force, so that none is judged twice (libs/standing/src/imposed.ts).
  judged         jsonb       NOT NULL DEFAULT '[]',
  updated_at     timestamptz NOT NULL,
  -- The next moment at which time alone changes this standing: a rating's end of validity, a restriction's end.
  next_change_at timestamptz,
  CONSTRAINT standings_pkey PRIMARY KEY (shard, subject),
  CONSTRAINT standings_subject_fkey FOREIGN KEY (shard, subject) REFERENCES subjects (shard, subject)
) WITH (fillfactor = 80);
CREATE INDEX standings_due ON standings (shard, next_change_at) WHERE next_change_at IS NOT NULL;

-- Every version a standing had, with the record that caused it. The fact holds SHA-256(salt || JCS(content)) only.
CREATE TABLE standing_versions (
  shard     smallint    NOT NULL,
  subject   uuid        NOT NULL,
  version   bigint      NOT NULL,
  at        timestamptz NOT NULL,
  content   jsonb       NOT NULL,
  salt      text        NOT NULL,
  cause_iss text,
  cause_jti uuid,
  fact_seq  bigint      NOT NULL,
  CONSTRAINT standing_versions_pkey PRIMARY KEY (shard, subject, version)
);
REVOKE UPDATE, DELETE, TRUNCATE ON standing_versions FROM tallystick_app;

-- A restriction keeps the terms under which it was imposed, whatever the ladder says later. `cause` is the violation, named by its
-- issuer and the first record of its chain of corrections; none where a person imposed it. `told`: the links whose banks were told.
CREATE TABLE restrictions (
  shard              smallint    NOT NULL,
  subject            uuid        NOT NULL,
  id                 uuid        NOT NULL,
  step               text        NOT NULL
    CONSTRAINT restrictions_step_known CHECK (step IN ('WARN', 'LIMIT_CUT', 'SERVICE_STOP', 'CLOSURE', 'BANK_NOTICE')),
  services           text[]      NOT NULL,
  limit_percent      smallint    CONSTRAINT restrictions_percent_in_range CHECK (limit_percent BETWEEN 0 AND 99),
  -- At most 10^15 (CONTRACT.md §5): a JSON number tells it exactly.
  limit_minor        bigint      CONSTRAINT restrictions_limit_in_range CHECK (limit_minor BETWEEN 0 AND 1000000000000000),
  currency           text,
  reason_code        text        NOT NULL,
  reason_text        text        NOT NULL,
  cause_iss          text,
  cause_jti          uuid,
  evidence_digest    text        NOT NULL,
  evidence_reference text        NOT NULL,
  ladder             text        NOT NULL,
  rung               text,
  cure_code          text,
  cure_text          text,
  told               uuid[]      NOT NULL,
  starts_at          timestamptz NOT NULL,
  ends_at            timestamptz,
  appeal_until       timestamptz,
  lifted_at          timestamptz,
  lifted_why         text,
  CONSTRAINT restrictions_cut_is_money CHECK ((limit_minor IS NULL) = (currency IS NULL)),
  CONSTRAINT restrictions_cause_is_whole CHECK ((cause_iss IS NULL) = (cause_jti IS NULL)),
  CONSTRAINT restrictions_pkey PRIMARY KEY (shard, subject, id),
  CONSTRAINT restrictions_standing_fkey FOREIGN KEY (shard, subject) REFERENCES standings (shard, subject),
  CONSTRAINT restrictions_lift_has_reason CHECK ((lifted_at IS NULL) = (lifted_why IS NULL))
);
REVOKE UPDATE, DELETE, TRUNCATE ON restrictions FROM tallystick_app;
GRANT UPDATE (lifted_at, lifted_why) ON restrictions TO tallystick_app;
CREATE INDEX restrictions_active ON restrictions (shard, subject) WHERE lifted_at IS NULL;

-- What a participant is to hear, on the participant's shard, written in the transaction of the cause (origin = that fact).
-- Order of delivery is (at, origin_shard, origin_seq): a shard's time never runs backwards, so a subject's events keep their order.
CREATE TABLE events (
  shard          smallint    NOT NULL,
  participant_id text        NOT NULL,
  id             uuid        NOT NULL,
  at             timestamptz NOT NULL,
  origin_shard   smallint    NOT NULL,
  origin_seq     bigint      NOT NULL,
  kind           text        NOT NULL,
  subject_ref    uuid        NOT NULL,
  body           jsonb       NOT NULL,
  -- The restriction it tells of: for the platform's own lists, never told. Its name in `body` is another one for every reader.
  restriction    uuid,
  acked_at       timestamptz,
  failures       integer     NOT NULL DEFAULT 0,
  failure        jsonb,
  retry_at       timestamptz,
  CONSTRAINT events_pkey PRIMARY KEY (shard, participant_id, id),
  CONSTRAINT events_origin_key UNIQUE (shard, participant_id, origin_shard, origin_seq)
) WITH (fillfactor = 80);
CREATE INDEX events_waiting ON events (shard, participant_id, at, origin_shard, origin_seq) WHERE acked_at IS NULL;
-- Events a participant could not take: they hold back the later events of their subject, and of no other.
CREATE INDEX events_held ON events (shard, participant_id, subject_ref) WHERE acked_at IS NULL AND retry_at IS NOT NULL;
-- Retractions that a bank has not acknowledged.
CREATE INDEX events_retractions ON events (shard, at) WHERE kind = 'restriction.lifted' AND acked_at IS NULL;
