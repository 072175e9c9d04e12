-- Statement files, their lines and what became of each. Everything stands on the participant's shard.

CREATE TABLE reconciliations (
  shard         smallint    NOT NULL,
  id            uuid        NOT NULL,
  participant   text        NOT NULL,
  digest        bytea       NOT NULL,
  size_bytes    integer     NOT NULL,
  received_at   timestamptz NOT NULL,
  closed_at     timestamptz,
  state         text        NOT NULL DEFAULT 'RECEIVED',
  -- Heads with the verdict on their control totals, reached before a line was used.
  statements    jsonb       NOT NULL,
  entries       integer     NOT NULL,
  lines_total   integer     NOT NULL,
  lines_read    integer     NOT NULL DEFAULT 0,
  lines_matched integer     NOT NULL DEFAULT 0,
  -- The last match_key whose lines all have their outcome.
  matched_to    text        COLLATE "C" NOT NULL DEFAULT '',
  counts        jsonb       NOT NULL DEFAULT '{}',
  -- Fencing: a write must name the epoch it was leased with.
  epoch         integer     NOT NULL DEFAULT 0,
  leased_until  timestamptz NOT NULL DEFAULT '-infinity',
  CONSTRAINT reconciliations_pkey PRIMARY KEY (shard, id),
  CONSTRAINT reconciliations_once UNIQUE (shard, participant, digest),
  CONSTRAINT reconciliations_digest CHECK (octet_length(digest) = 32),
  CONSTRAINT reconciliations_state CHECK (state IN ('RECEIVED', 'PARSED', 'MATCHING', 'BALANCED', 'BROKEN'))
);
CREATE INDEX reconciliations_outstanding ON reconciliations (shard, leased_until) WHERE state IN ('RECEIVED', 'PARSED', 'MATCHING');

-- The bytes as received, in order.
CREATE TABLE statement_bytes (
  shard          smallint NOT NULL,
  reconciliation uuid     NOT NULL,
  n              integer  NOT NULL,
  bytes          bytea    NOT NULL,
  CONSTRAINT statement_bytes_pkey PRIMARY KEY (shard, reconciliation, n),
  CONSTRAINT statement_bytes_of FOREIGN KEY (shard, reconciliation) REFERENCES reconciliations (shard, id)
);
REVOKE UPDATE, DELETE, TRUNCATE ON statement_bytes FROM tallystick_app;

CREATE TABLE statement_lines (
  shard          smallint    NOT NULL,
  reconciliation uuid        NOT NULL,
  n              integer     NOT NULL,
  -- '=' and the payment reference it bears, or '#' and its own number.
  match_key      text        COLLATE "C" NOT NULL,
  identified_by  text,
  statement_n    integer     NOT NULL,
  file_line      integer     NOT NULL,
  minor          bigint      NOT NULL,
  currency       text        NOT NULL,
  direction      text        NOT NULL,
  reversal       boolean     NOT NULL,
  booked_day     text,
  booked_at      timestamptz,
  end_to_end_id  text,
  CONSTRAINT statement_lines_pkey PRIMARY KEY (shard, reconciliation, n),
  CONSTRAINT statement_lines_of FOREIGN KEY (shard, reconciliation) REFERENCES reconciliations (shard, id)
);
CREATE INDEX statement_lines_by_key ON statement_lines (shard, reconciliation, match_key, n);
REVOKE UPDATE, DELETE, TRUNCATE ON statement_lines FROM tallystick_app;

-- One row for each line, and one for each payment that no line took.
CREATE TABLE reconciliation_outcomes (
  shard                smallint    NOT NULL,
  reconciliation       uuid        NOT NULL,
  n                    integer     NOT NULL,
  kind                 text        NOT NULL,
  reason               text        NOT NULL,
  identified_by        text,
  line                 integer,
  payment              uuid,
  payment_shard        smallint,
  payment_decision     uuid,
  payment_reference    text,
  payment_minor        bigint,
  payment_currency     text,
  payment_confirmed_at timestamptz,
  CONSTRAINT reconciliation_outcomes_pkey PRIMARY KEY (shard, reconciliation, n),
  CONSTRAINT reconciliation_outcomes_of FOREIGN KEY (shard, reconciliation) REFERENCES reconciliations (shard, id)
);
-- A payment is taken by one line of one statement, ever.
CREATE UNIQUE INDEX reconciliation_outcomes_taken ON reconciliation_outcomes (shard, payment)
  WHERE line IS NOT NULL AND payment IS NOT NULL AND kind <> 'DUPLICATE';
CREATE INDEX reconciliation_outcomes_breaks ON reconciliation_outcomes (shard, reconciliation, n) WHERE kind <> 'MATCHED';
CREATE INDEX reconciliation_outcomes_by_reference ON reconciliation_outcomes (shard, payment_reference) WHERE payment_reference IS NOT NULL;
REVOKE UPDATE, DELETE, TRUNCATE ON reconciliation_outcomes FROM tallystick_app;

-- When each recurring task of the worker last ran: whoever moves the row runs the task, whichever clock woke him.
CREATE TABLE worker_beats (
  task   text        NOT NULL CONSTRAINT worker_beats_pkey PRIMARY KEY,
  ran_at timestamptz NOT NULL DEFAULT '-infinity'
);

-- BullMQ's tables where there is no Redis. The applications own this schema alone: it holds ids of jobs and may be dropped.
CREATE SCHEMA bullmq AUTHORIZATION tallystick_app;
