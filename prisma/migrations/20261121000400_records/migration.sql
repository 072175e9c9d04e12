-- Credit records: identity on the issuer's shard, content on the subject's shard. Nothing received is ever changed or removed.

-- Who said what under which name: (iss, jti) and (iss, seq) are each used once (CONTRACT.md §3).
CREATE TABLE record_identities (
  shard          smallint NOT NULL,
  iss            text     NOT NULL,
  jti            uuid     NOT NULL,
  seq            bigint   NOT NULL,
  payload_digest bytea    NOT NULL,
  subject_shard  smallint NOT NULL,
  ref            uuid     NOT NULL,
  CONSTRAINT record_identities_pkey PRIMARY KEY (shard, iss, jti),
  CONSTRAINT record_identities_seq_key UNIQUE (shard, iss, seq)
);
REVOKE UPDATE, DELETE, TRUNCATE ON record_identities FROM tallystick_app;

-- The record as received (`jws`: exact bytes), its place among the facts and the receipt that was given.
CREATE TABLE records (
  shard          smallint    NOT NULL,
  ref            uuid        NOT NULL,
  iss            text        NOT NULL,
  jti            uuid        NOT NULL,
  seq            bigint      NOT NULL,
  subject        uuid        NOT NULL,
  kind           text        NOT NULL,
  names          uuid,
  issued_at      timestamptz NOT NULL,
  payload_digest bytea       NOT NULL,
  jws            bytea       NOT NULL,
  accepted_at    timestamptz NOT NULL,
  fact_seq       bigint      NOT NULL,
  receipt        text        NOT NULL,
  CONSTRAINT records_pkey PRIMARY KEY (shard, ref, jti),
  CONSTRAINT records_fact_key UNIQUE (shard, fact_seq)
);
CREATE INDEX records_by_subject ON records (shard, subject, fact_seq);
REVOKE UPDATE, DELETE, TRUNCATE ON records FROM tallystick_app;

-- What counts now: a record leaves when it is corrected, withdrawn or cleared, or when its validity is over.
-- `root_jti` is the first record of a chain of corrections.
CREATE TABLE records_in_force (
  shard       smallint    NOT NULL,
  subject     uuid        NOT NULL,
  iss         text        NOT NULL,
  jti         uuid        NOT NULL,
  root_jti    uuid        NOT NULL,
  kind        text        NOT NULL,
  as_of       timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  body        jsonb       NOT NULL,
  CONSTRAINT records_in_force_pkey PRIMARY KEY (shard, subject, iss, jti)
);

-- A second payload under a used (iss, jti): evidence, kept as received.
CREATE TABLE record_equivocations (
  shard          smallint    NOT NULL,
  iss            text        NOT NULL,
  jti            uuid        NOT NULL,
  payload_digest bytea       NOT NULL,
  jws            bytea       NOT NULL,
  received_at    timestamptz NOT NULL,
  CONSTRAINT record_equivocations_pkey PRIMARY KEY (shard, iss, jti, payload_digest)
);
REVOKE UPDATE, DELETE, TRUNCATE ON record_equivocations FROM tallystick_app;
