-- Batches of records: the resource, and what became of each line. Everything stands on the issuer's shard; the lines themselves wait in a
-- file until they are done, and each accepted one is then a record like any other.
CREATE TABLE record_batches (
  shard        smallint    NOT NULL,
  batch        uuid        NOT NULL,
  participant  text        NOT NULL,
  -- Of a sealed batch: the one signature over all lines, exactly as received. Without it each line bears its own.
  manifest     bytea,
  -- Fingerprint of the certificate it came with: the lines are worked off without it.
  certificate  text,
  -- SHA-256 of the lines as they are without their transfer coding: the same lines again are the same batch.
  digest       bytea       NOT NULL CONSTRAINT record_batches_digest CHECK (octet_length(digest) = 32),
  size_bytes   bigint      NOT NULL,
  lines_total  bigint      NOT NULL,
  received_at  timestamptz NOT NULL,
  finished_at  timestamptz,
  state        text        NOT NULL DEFAULT 'RECEIVED' CONSTRAINT record_batches_state CHECK (state IN ('RECEIVED', 'PROCESSING', 'DONE')),
  -- Where to go on: every line before it has its row in record_batch_lines.
  next_line    bigint      NOT NULL DEFAULT 1,
  next_byte    bigint      NOT NULL DEFAULT 0,
  accepted     bigint      NOT NULL DEFAULT 0,
  repeated     bigint      NOT NULL DEFAULT 0,
  refused      bigint      NOT NULL DEFAULT 0,
  -- Fencing: a write must name the epoch it was leased with.
  epoch        integer     NOT NULL DEFAULT 0,
  leased_until timestamptz NOT NULL DEFAULT '-infinity',
  CONSTRAINT record_batches_pkey PRIMARY KEY (shard, batch),
  CONSTRAINT record_batches_once UNIQUE (shard, participant, digest)
);
CREATE INDEX record_batches_outstanding ON record_batches (shard, leased_until) WHERE state <> 'DONE';
REVOKE DELETE, TRUNCATE ON record_batches FROM tallystick_app;

-- Which line of which sealed batch a record was: what its evidence is found by.
CREATE TABLE sealed_records (
  shard       smallint NOT NULL,
  iss         text     NOT NULL,
  jti         uuid     NOT NULL,
  batch       uuid     NOT NULL,
  -- Counted from 0, the manifest not counted.
  line_index  bigint   NOT NULL,
  CONSTRAINT sealed_records_pkey PRIMARY KEY (shard, iss, jti)
);
REVOKE UPDATE, DELETE, TRUNCATE ON sealed_records FROM tallystick_app;

CREATE TABLE record_batch_lines (
  shard   smallint NOT NULL,
  batch   uuid     NOT NULL,
  line    bigint   NOT NULL,
  outcome text     NOT NULL CONSTRAINT record_batch_lines_outcome CHECK (outcome IN ('ACCEPTED', 'REPEATED', 'REFUSED')),
  -- Of the record; absent where the line could not be read that far.
  jti     uuid,
  -- Why it was refused, as in a problem document.
  code    text,
  detail  text,
  field   text,
  CONSTRAINT record_batch_lines_pkey PRIMARY KEY (shard, batch, line),
  CONSTRAINT record_batch_lines_of FOREIGN KEY (shard, batch) REFERENCES record_batches (shard, batch)
);
CREATE INDEX record_batch_lines_refused ON record_batch_lines (shard, batch, line) WHERE outcome = 'REFUSED';
REVOKE UPDATE, DELETE, TRUNCATE ON record_batch_lines FROM tallystick_app;
