-- What became of a linked batch: several decisions of one subject, all reserved or none (libs/decisions/src/linked.ts).
-- A group has one key and one answer; the reservations of a reserved group stand in "decisions" and "reservations" like all others.
CREATE TABLE linked_groups (
  shard      smallint    NOT NULL,
  subject    uuid        NOT NULL,
  caller     text        NOT NULL,
  key        text        NOT NULL,
  digest     bytea       NOT NULL,
  at         timestamptz NOT NULL,
  outcome    text        NOT NULL CONSTRAINT linked_groups_outcome_known CHECK (outcome IN ('RESERVED', 'REFUSED')),
  -- The answer as it was given, JSON. The fact commits to SHA-256(salt || answer).
  answer     text        NOT NULL,
  salt       uuid        NOT NULL,
  CONSTRAINT linked_groups_pkey PRIMARY KEY (shard, subject, caller, key)
);
REVOKE UPDATE, DELETE, TRUNCATE ON linked_groups FROM tallystick_app;
