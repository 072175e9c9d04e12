-- The ledger's ground: shard heads and facts. Every later room builds on these.
-- The applications act as tallystick_app, which may add facts but never change or remove one.

DO $$
BEGIN
  CREATE ROLE tallystick_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;

DO $$
BEGIN
  EXECUTE format('GRANT tallystick_app TO %I', current_user);
EXCEPTION WHEN OTHERS THEN
  -- A superuser may already act as any role.
  NULL;
END
$$;

GRANT USAGE ON SCHEMA public TO tallystick_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tallystick_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO tallystick_app;

-- One row per shard. Whoever writes a fact or a decision holds its shard's row to the commit: numbers are gapless,
-- number order is commit order, and a shard's time never runs backwards.
CREATE TABLE shard_heads (
  shard          smallint    NOT NULL CONSTRAINT shard_heads_pkey PRIMARY KEY,
  last_seq       bigint      NOT NULL DEFAULT 0,
  last_at        timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
  policy_version bigint      NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

INSERT INTO shard_heads (shard)
SELECT unnest('{0,1,2,3,4,5,6,8,9,10,11,13,16,17,18,21,22,24,27,28,31,36,37,39,41,48,50,52,58,62,85,136}'::smallint[]);

-- (shard, seq) is shared with decisions: a decision row is its own fact and takes a number from the same head.
CREATE TABLE facts (
  shard       smallint    NOT NULL,
  seq         bigint      NOT NULL,
  at          timestamptz NOT NULL,
  kind        text        NOT NULL,
  subject     uuid,
  participant text,
  body        text        NOT NULL,
  CONSTRAINT facts_pkey PRIMARY KEY (shard, seq)
);
CREATE INDEX facts_by_subject ON facts (shard, subject, seq) WHERE subject IS NOT NULL;
REVOKE UPDATE, DELETE, TRUNCATE ON facts FROM tallystick_app;
