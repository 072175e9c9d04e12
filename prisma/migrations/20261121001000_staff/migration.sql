-- Staff of the console: who they are, their sessions, and the brake on guessing passwords.
-- Registry tables, not ledger tables: small, without a shard. What staff do is told by facts, which are.

CREATE TABLE staff_accounts (
  id            uuid        NOT NULL CONSTRAINT staff_accounts_pkey PRIMARY KEY,
  name          text        NOT NULL CONSTRAINT staff_accounts_name_unique UNIQUE
                            CONSTRAINT staff_accounts_name_form CHECK (name ~ '^[a-z][a-z0-9._-]{1,39}$'),
  role          text        NOT NULL CONSTRAINT staff_accounts_role_known CHECK (role IN ('compliance', 'risk', 'operator', 'auditor')),
  state         text        NOT NULL DEFAULT 'ACTIVE' CONSTRAINT staff_accounts_state_known CHECK (state IN ('ACTIVE', 'DISABLED')),
  password_hash text        NOT NULL,
  created_at    timestamptz NOT NULL
);

-- The token itself is only in the browser's cookie: whoever reads this table cannot take a session over.
CREATE TABLE staff_sessions (
  id           uuid        NOT NULL CONSTRAINT staff_sessions_pkey PRIMARY KEY,
  account_id   uuid        NOT NULL CONSTRAINT staff_sessions_account_fkey REFERENCES staff_accounts (id),
  token_digest bytea       NOT NULL CONSTRAINT staff_sessions_token_unique UNIQUE
                           CONSTRAINT staff_sessions_token_sha256 CHECK (octet_length(token_digest) = 32),
  created_at   timestamptz NOT NULL,
  seen_at      timestamptz NOT NULL,
  ended_at     timestamptz
);
CREATE INDEX staff_sessions_open ON staff_sessions (account_id) WHERE ended_at IS NULL;

-- Keyed by a digest: a name typed wrongly is sometimes a password.
CREATE TABLE staff_sign_in_attempts (
  key_digest     bytea       NOT NULL CONSTRAINT staff_sign_in_attempts_pkey PRIMARY KEY,
  failures       integer     NOT NULL,
  last_failed_at timestamptz NOT NULL
);
