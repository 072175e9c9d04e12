-- Record sets: what a participant and we hold of its records, compared and agreed.

-- The items of a participant's set (time, id, place: 48 bytes each), packed page by page in the order of the log. Derived from `records` and
-- `log_segments`, and only there so that a set of millions need not be collected from records again after every start.
CREATE TABLE record_set_pages (
  shard       smallint NOT NULL,
  participant text     NOT NULL,
  -- The page tells of facts from this log index on, together with the other pages of the same `first_index`, up to `end_index`.
  first_index bigint   NOT NULL,
  page        integer  NOT NULL,
  end_index   bigint   NOT NULL,
  items       bytea    NOT NULL,
  CONSTRAINT record_set_pages_pkey PRIMARY KEY (shard, participant, first_index, page),
  CONSTRAINT record_set_pages_order CHECK (0 <= first_index AND first_index < end_index),
  CONSTRAINT record_set_pages_items CHECK (octet_length(items) % 48 = 0)
);
ALTER TABLE record_set_pages ALTER COLUMN items SET STORAGE EXTERNAL;
REVOKE UPDATE, DELETE, TRUNCATE ON record_set_pages FROM tallystick_app;

-- What both sides signed, on the participant's shard, with the fact `record_set.agreed`.
CREATE TABLE record_set_statements (
  shard       smallint    NOT NULL,
  participant text        NOT NULL,
  set_name    text        NOT NULL,
  log_index   bigint      NOT NULL,
  -- Records with an earlier `iat`, in seconds; 2^53 - 1 where all are meant.
  before      bigint      NOT NULL,
  count       bigint      NOT NULL,
  root        bytea       NOT NULL,
  -- Exactly as received, and the key it was signed with.
  own_half    bytea       NOT NULL,
  key         jsonb       NOT NULL,
  our_half    text        NOT NULL,
  agreed_at   timestamptz NOT NULL,
  fact_seq    bigint      NOT NULL,
  CONSTRAINT record_set_statements_pkey PRIMARY KEY (shard, participant, set_name, log_index, before),
  CONSTRAINT record_set_statements_root CHECK (octet_length(root) = 32)
);
REVOKE UPDATE, DELETE, TRUNCATE ON record_set_statements FROM tallystick_app;
