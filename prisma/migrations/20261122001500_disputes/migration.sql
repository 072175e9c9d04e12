-- Disputes of records, their clocks, the furnishers' answers, and who was told of them (CONTRACT.md §3).

-- Records in force that are disputed, with how they count meanwhile: what a judgement needs to know, read with the standing. It changes
-- only with the version.
ALTER TABLE standings ADD COLUMN disputed jsonb NOT NULL DEFAULT '[]';

CREATE TABLE disputes (
  shard            smallint    NOT NULL,
  subject          uuid        NOT NULL,
  id               uuid        NOT NULL,
  -- The record, and the chain of corrections it belongs to; `record_seq` is its fact.
  iss              text        NOT NULL,
  jti              uuid        NOT NULL,
  root_jti         uuid        NOT NULL,
  kind             text        NOT NULL,
  ref              uuid        NOT NULL,
  record_seq       bigint      NOT NULL,
  opened_by        text        NOT NULL CONSTRAINT disputes_opener_known CHECK (opened_by IN ('SUBJECT', 'FURNISHER')),
  caller           text        NOT NULL,
  idempotency_key  text,
  code             text        NOT NULL,
  statement_digest text,
  -- How the record counts while the dispute is open: the policy's word of that moment.
  treatment        jsonb       NOT NULL,
  opened_at        timestamptz NOT NULL,
  opened_seq       bigint      NOT NULL,
  notice_by        timestamptz NOT NULL,
  due_soon_at      timestamptz NOT NULL,
  due_at           timestamptz NOT NULL,
  added_digest     text,
  added_at         timestamptz,
  state            text        NOT NULL CONSTRAINT disputes_state_known CHECK (state IN ('OPEN', 'ANSWERED', 'CLOSED')),
  answer           jsonb,
  answered_at      timestamptz,
  outcome          text        CONSTRAINT disputes_outcome_known CHECK (outcome IN ('VERIFIED', 'CORRECTED', 'WITHDRAWN', 'SILENT')),
  closed_at        timestamptz,
  closed_seq       bigint,
  result_by        timestamptz,
  -- The clocks that have rung, and when the next one will.
  rung             text[]      NOT NULL,
  next_ring_at     timestamptz,
  CONSTRAINT disputes_pkey PRIMARY KEY (shard, id),
  CONSTRAINT disputes_subject_fkey FOREIGN KEY (shard, subject) REFERENCES subjects (shard, subject),
  CONSTRAINT disputes_end_is_whole CHECK ((state = 'CLOSED') = (outcome IS NOT NULL AND closed_at IS NOT NULL AND closed_seq IS NOT NULL AND result_by IS NOT NULL)),
  CONSTRAINT disputes_addition_is_whole CHECK ((added_digest IS NULL) = (added_at IS NULL)),
  CONSTRAINT disputes_answer_has_time CHECK ((answer IS NULL) = (answered_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX disputes_of_subject ON disputes (shard, subject, opened_at);
CREATE INDEX disputes_of_issuer ON disputes (shard, iss, opened_at);
CREATE INDEX disputes_ringing ON disputes (shard, next_ring_at) WHERE next_ring_at IS NOT NULL;
CREATE INDEX disputes_unsettled ON disputes (shard, due_at) WHERE state <> 'CLOSED';
CREATE UNIQUE INDEX disputes_one_open ON disputes (shard, subject, iss, root_jti) WHERE state <> 'CLOSED';
CREATE UNIQUE INDEX disputes_key ON disputes (shard, subject, caller, idempotency_key) WHERE idempotency_key IS NOT NULL;
REVOKE UPDATE, DELETE, TRUNCATE ON disputes FROM tallystick_app;
GRANT UPDATE (due_soon_at, due_at, added_digest, added_at, state, answer, answered_at, outcome, closed_at, closed_seq, result_by, rung, next_ring_at)
  ON disputes TO tallystick_app;

-- The furnisher's answer as it came: the request's body, and what its signature was made over (RFC 9421).
CREATE TABLE dispute_answers (
  shard          smallint    NOT NULL,
  dispute        uuid        NOT NULL,
  participant_id text        NOT NULL,
  at             timestamptz NOT NULL,
  certificate    text,
  keyid          text,
  signature_base text,
  signature      text,
  body           bytea       NOT NULL,
  CONSTRAINT dispute_answers_pkey PRIMARY KEY (shard, dispute),
  CONSTRAINT dispute_answers_dispute_fkey FOREIGN KEY (shard, dispute) REFERENCES disputes (shard, id)
);
REVOKE UPDATE, DELETE, TRUNCATE ON dispute_answers FROM tallystick_app;

-- Which events told of a dispute, and of which fact. The events stand on their participants' shards; there it says whether they were acknowledged.
CREATE TABLE dispute_notices (
  shard             smallint NOT NULL,
  dispute           uuid     NOT NULL,
  event             uuid     NOT NULL,
  fact_seq          bigint   NOT NULL,
  participant_shard smallint NOT NULL,
  participant_id    text     NOT NULL,
  CONSTRAINT dispute_notices_pkey PRIMARY KEY (shard, dispute, event),
  CONSTRAINT dispute_notices_dispute_fkey FOREIGN KEY (shard, dispute) REFERENCES disputes (shard, id)
);
REVOKE UPDATE, DELETE, TRUNCATE ON dispute_notices FROM tallystick_app;

-- What policy versions say of disputes, kept when a version becomes active, as `ladders` are. A registry table, without a shard.
CREATE TABLE dispute_policies (
  policy_version bigint NOT NULL CONSTRAINT dispute_policies_pkey PRIMARY KEY,
  policy         jsonb  NOT NULL
);
REVOKE UPDATE, DELETE, TRUNCATE ON dispute_policies FROM tallystick_app;
