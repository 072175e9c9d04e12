-- How a partner's receiver fared when it was probed; each run is a fact of its own.
CREATE TABLE conformance_runs (
  shard          smallint    NOT NULL,
  participant_id text        NOT NULL,
  fact_seq       bigint      NOT NULL,
  at             timestamptz NOT NULL,
  probes         smallint    NOT NULL,
  -- Names of the probes that failed; empty: it conforms.
  failed         text[]      NOT NULL,
  CONSTRAINT conformance_runs_pkey PRIMARY KEY (shard, participant_id, fact_seq)
);
REVOKE UPDATE, DELETE, TRUNCATE ON conformance_runs FROM tallystick_app;
