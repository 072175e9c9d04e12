-- Recorded history decided again (libs/decisions/src/history): versions in shadow, and back-tests.

-- How far a version in shadow has followed the decisions of a shard, and what it found. The cursor moves in the transaction that counts.
CREATE TABLE shadow_cursors (
  shard       smallint NOT NULL,
  version     bigint   NOT NULL,
  -- Decisions with begun_after < seq <= ended_after are compared. Both are taken under the head rows, with the step of the policy.
  begun_after bigint   NOT NULL,
  ended_after bigint,
  seq         bigint   NOT NULL,
  tally       text,
  CONSTRAINT shadow_cursors_pkey PRIMARY KEY (shard, version),
  CONSTRAINT shadow_cursors_order CHECK (begun_after <= seq AND seq <= coalesce(ended_after, seq))
) WITH (fillfactor = 50);
CREATE INDEX shadow_cursors_of_version ON shadow_cursors (version, shard);
REVOKE DELETE, TRUNCATE ON shadow_cursors FROM tallystick_app;

-- The shadow's own counters and holds: what they would be had the version decided since its shadow began. A subject comes in, with what
-- really counted by then, when it is first decided about; all of it goes when the shadow ends.
CREATE TABLE shadow_subjects (
  shard   smallint NOT NULL,
  version bigint   NOT NULL,
  subject uuid     NOT NULL,
  CONSTRAINT shadow_subjects_pkey PRIMARY KEY (shard, version, subject)
);

CREATE TABLE shadow_usage (
  shard          smallint    NOT NULL,
  version        bigint      NOT NULL,
  subject        uuid        NOT NULL,
  counter        text        NOT NULL,
  window_start   timestamptz NOT NULL,
  live_until     timestamptz NOT NULL,
  used_minor     bigint      NOT NULL,
  reserved_minor bigint      NOT NULL,
  used_count     bigint      NOT NULL,
  reserved_count bigint      NOT NULL,
  CONSTRAINT shadow_usage_pkey PRIMARY KEY (shard, version, subject, counter, window_start)
) WITH (fillfactor = 70);

CREATE TABLE shadow_holds (
  shard      smallint    NOT NULL,
  version    bigint      NOT NULL,
  decision   uuid        NOT NULL,
  subject    uuid        NOT NULL,
  state      text        NOT NULL CONSTRAINT shadow_holds_state_known CHECK (state IN ('RESERVED', 'CONFIRMED', 'ENDED')),
  minor      bigint      NOT NULL,
  left_minor bigint      NOT NULL,
  -- An allowance is settled in parts: what they took, and how many it still holds. Ended, it may still hear of late ones.
  spent_minor  bigint    NOT NULL,
  transactions integer   NOT NULL,
  is_split   boolean     NOT NULL,
  expires_at timestamptz NOT NULL,
  -- When the last of its windows is asked for no more: then nobody can want it back.
  live_until timestamptz NOT NULL,
  places     text        NOT NULL,
  CONSTRAINT shadow_holds_pkey PRIMARY KEY (shard, version, decision)
) WITH (fillfactor = 80);
CREATE INDEX shadow_holds_by_subject ON shadow_holds (shard, version, subject);

-- Back-tests. They read every shard and belong to none: no shard of their own beside their fact's; on Citus they stay on the coordinator.
CREATE TABLE backtests (
  backtest       uuid        NOT NULL CONSTRAINT backtests_pkey PRIMARY KEY,
  shard          smallint    NOT NULL,
  requested_by   text        NOT NULL,
  requested_at   timestamptz NOT NULL,
  -- Null: every decision by the version that took it.
  document       text,
  hash           text,
  from_at        timestamptz,
  to_at          timestamptz,
  assume         text        NOT NULL,
  beginning      text        NOT NULL,
  -- {"<shard>": "<last number>"}: the history that is read, fixed when it was asked for.
  bounds         text        NOT NULL,
  state          text        NOT NULL DEFAULT 'REQUESTED'
                 CONSTRAINT backtests_state_known CHECK (state IN ('REQUESTED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
  epoch          integer     NOT NULL DEFAULT 0,
  leased_until   timestamptz NOT NULL DEFAULT '-infinity',
  report         text,
  problem        text,
  finished_at    timestamptz
);
CREATE INDEX backtests_outstanding ON backtests (leased_until, backtest) WHERE state IN ('REQUESTED', 'RUNNING');
CREATE INDEX backtests_latest ON backtests (requested_at DESC, backtest DESC);
REVOKE DELETE, TRUNCATE ON backtests FROM tallystick_app;

-- One shard of a back-test: how far it is, and what it found by then.
CREATE TABLE backtest_parts (
  backtest      uuid     NOT NULL CONSTRAINT backtest_parts_backtest_fkey REFERENCES backtests (backtest),
  shard         smallint NOT NULL,
  total         bigint   NOT NULL,
  decided       bigint   NOT NULL DEFAULT 0,
  -- The last subject whose history is done.
  after_subject uuid,
  is_done       boolean  NOT NULL DEFAULT false,
  tally         text,
  -- SHA-256 over everything read by then, hex.
  digest        text     NOT NULL,
  CONSTRAINT backtest_parts_pkey PRIMARY KEY (backtest, shard)
) WITH (fillfactor = 50);
REVOKE DELETE, TRUNCATE ON backtest_parts FROM tallystick_app;
