-- Nonces of signed requests: each is good once. Rows live minutes, until no clock of ours could still accept their signature; no ledger, so no shard.
CREATE TABLE request_nonces (
  participant text        NOT NULL,
  nonce       text        NOT NULL,
  seen_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT request_nonces_pkey PRIMARY KEY (participant, nonce)
);
CREATE INDEX request_nonces_by_time ON request_nonces (seen_at);
REVOKE UPDATE, TRUNCATE ON request_nonces FROM tallystick_app;
