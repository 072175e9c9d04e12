-- The sealed log: which fact stands at which index, the hashes that its tiles store, the checkpoints signed, and exports.
-- One log per installation, so these tables carry no shard of their own; on Citus they stay on the coordinator.

-- One row. Whoever appends or publishes holds it to the commit: two workers can never fork the log.
CREATE TABLE log_state (
  id             smallint    NOT NULL CONSTRAINT log_state_pkey PRIMARY KEY CONSTRAINT log_state_single CHECK (id = 1),
  origin         text        NOT NULL,
  size           bigint      NOT NULL DEFAULT 0,
  published_size bigint      NOT NULL DEFAULT 0,
  CONSTRAINT log_state_order CHECK (0 <= published_size AND published_size <= size)
) WITH (fillfactor = 20);

-- How far each shard's facts are sealed.
CREATE TABLE log_cursors (
  shard      smallint    NOT NULL CONSTRAINT log_cursors_pkey PRIMARY KEY,
  sealed_seq bigint      NOT NULL DEFAULT 0,
  sealed_at  timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 20);

INSERT INTO log_cursors (shard) SELECT shard FROM shard_heads;

-- A run of consecutive facts of one shard at consecutive log indexes, with their leaf hashes (32 bytes each).
CREATE TABLE log_segments (
  first_index bigint      NOT NULL CONSTRAINT log_segments_pkey PRIMARY KEY,
  shard       smallint    NOT NULL,
  first_seq   bigint      NOT NULL,
  count       integer     NOT NULL,
  first_at    timestamptz NOT NULL,
  last_at     timestamptz NOT NULL,
  leaf_hashes bytea       NOT NULL,
  CONSTRAINT log_segments_fact UNIQUE (shard, first_seq),
  CONSTRAINT log_segments_hashes CHECK (count > 0 AND octet_length(leaf_hashes) = 32 * count)
);
ALTER TABLE log_segments ALTER COLUMN leaf_hashes SET STORAGE EXTERNAL;
CREATE INDEX log_segments_by_time ON log_segments (shard, last_at);

-- Levels 1 and up of the tiles (c2sp.org/tlog-tiles): the hash of each full tile of the level below.
CREATE TABLE log_nodes (
  level smallint NOT NULL,
  index bigint   NOT NULL,
  hash  bytea    NOT NULL,
  CONSTRAINT log_nodes_pkey PRIMARY KEY (level, index),
  CONSTRAINT log_nodes_hash CHECK (octet_length(hash) = 32)
);

-- Every checkpoint that was signed and published, as a signed note.
CREATE TABLE log_checkpoints (
  size      bigint      NOT NULL CONSTRAINT log_checkpoints_pkey PRIMARY KEY,
  note      text        NOT NULL,
  signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What is wrong with the log now; `place` tells alarms of one code apart (a shard, or empty).
CREATE TABLE log_alarms (
  code       text        NOT NULL,
  place      text        NOT NULL,
  detail     text        NOT NULL,
  raised_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  cleared_at timestamptz,
  CONSTRAINT log_alarms_pkey PRIMARY KEY (code, place)
);

REVOKE UPDATE, DELETE, TRUNCATE ON log_segments, log_nodes, log_checkpoints FROM tallystick_app;
REVOKE DELETE, TRUNCATE ON log_state, log_cursors, log_alarms FROM tallystick_app;

-- An export is a pure function of its row once `range_start` to `checkpoint` are set: a repeated run writes the same bytes.
CREATE TABLE exports (
  id            uuid        NOT NULL CONSTRAINT exports_pkey PRIMARY KEY,
  shard         smallint    NOT NULL,
  requested_by  text        NOT NULL,
  requested_at  timestamptz NOT NULL,
  filter        text        NOT NULL,
  required      text        NOT NULL,
  state         text        NOT NULL DEFAULT 'REQUESTED',
  range_start   bigint,
  range_end     bigint,
  checkpoint    text,
  next_index    bigint,
  entries_bytes bigint      NOT NULL DEFAULT 0,
  included      bigint      NOT NULL DEFAULT 0,
  file          text,
  problem       text,
  finished_at   timestamptz,
  CONSTRAINT exports_state CHECK (state IN ('REQUESTED', 'RUNNING', 'DONE', 'FAILED'))
);
CREATE INDEX exports_outstanding ON exports (requested_at) WHERE state IN ('REQUESTED', 'RUNNING');
REVOKE DELETE, TRUNCATE ON exports FROM tallystick_app;
